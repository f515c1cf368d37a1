(jupyter, kernel, display, make) => {
	"use strict";
	// How a script follows a display by a comm; package live says what is on the wire. It calls
	// make(root, link) for each place in the page where the display is, and link has
	// act(action, value), which tells the kernel what a person wishes. What make returns has
	//
	//	told(data)           the kernel has said what there is to see
	//	returned(html, seq)  the front end rendered the display again, and root is in it
	//	enable(on)           whether wishes reach the kernel
	//	note(text)           a sentence for the person
	//	close()              nothing more is to come
	if (!jupyter.known) {
		return; // what is shown stays as it is, and says so
	}
	const pageHears = 8000, pageGivesUp = 20000, pageSays = 10000, awayFor = 60000; // milliseconds

	// All views in this page, so that one that the front end renders again goes on in its new
	// place, with what a person was writing in it.
	const views = globalThis.holt_live = globalThis.holt_live || new Set();
	for (const root of document.querySelectorAll(`[data-holt-live="${display}"]:not([data-follows])`)) {
		const old = [...views].find((v) => v.display === display && !v.root.isConnected && !v.over);
		if (old) {
			const html = root.innerHTML;
			root.replaceWith(old.root);
			old.returned(html, Number(root.dataset.seq));
		} else {
			follow(root);
		}
	}

	function follow(root) {
		root.dataset.follows = "";
		const session = jupyter.unique();
		let socket = null;
		let comm = "";
		let tries = 0;
		let heard = Date.now(), said = 0, seen = Date.now(); // when the kernel, this page, and root in the page
		let away = false;
		let focus = null;

		const place = {
			display: display, root: root, over: false,
			returned(html, seq) {
				view.returned(html, seq);
				if (focus && document.activeElement === document.body) {
					focus.focus({ preventScroll: true });
				}
			},
		};
		views.add(place);
		root.addEventListener("focusin", (event) => focus = event.target);
		root.addEventListener("focusout", () => setTimeout(() => {
			if (root.isConnected && !root.contains(document.activeElement)) {
				focus = null;
			}
		}));
		window.addEventListener("keydown", keys, true);
		const view = make(root, { act });
		view.enable(false);
		const timer = setInterval(watch, 2000);
		connect();

		// keys are those that sliders, menus and buttons need, such as the arrows and Enter. To
		// JupyterLab they are commands wherever a person cannot write.
		function keys(event) {
			const command = event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape";
			if (!command && root.contains(event.target) && !event.target.matches(":read-write")) {
				event.stopPropagation();
			}
		}

		// end says that nothing more is to come.
		function end(sentence) {
			place.over = true;
			views.delete(place);
			clearInterval(timer);
			window.removeEventListener("keydown", keys, true);
			view.close();
			if (socket) {
				socket.close();
			}
			if (sentence) {
				const b = document.createElement("b");
				b.textContent = sentence;
				const stopped = document.createElement("div");
				stopped.dataset.part = "stopped";
				stopped.setAttribute("role", "status");
				stopped.append(b);
				root.prepend(stopped);
				root.querySelectorAll("progress").forEach((p) => p.remove());
			}
		}

		function later() {
			socket = null;
			if (place.over || away) {
				return;
			}
			view.enable(false);
			view.note(`no connection with the kernel since ${clock(heard)}; trying again`);
			setTimeout(connect, 1000 * Math.min(30, 2 ** tries++));
		}

		async function connect() {
			try {
				const answer = await fetch(jupyter.kernel(kernel), { credentials: "same-origin", cache: "no-store" });
				if (answer.status === 404) {
					end("stopped: the kernel has ended; run the cell again");
					return;
				}
				if (!answer.ok) {
					throw new Error(answer.statusText);
				}
			} catch (_) {
				later();
				return;
			}
			socket = jupyter.connect(kernel, session);
			socket.onopen = () => {
				heard = Date.now();
				comm = "holt-live-" + jupyter.unique();
				send("comm_open", { target_name: "holt_live", data: { display: display, do: "attach" } });
			};
			socket.onmessage = (event) => {
				const data = jupyter.read(event, comm);
				if (data) {
					receive(data);
				}
			};
			socket.onclose = later;
		}

		function send(type, content) {
			said = Date.now();
			jupyter.send(socket, session, type, { comm_id: comm, ...content });
		}

		function act(action, value) {
			if (socket && socket.readyState === WebSocket.OPEN) {
				view.note("");
				send("comm_msg", { data: { display: display, do: action, value: value } });
			}
		}

		function receive(data) {
			heard = Date.now();
			tries = 0;
			if (data.seq !== undefined) {
				view.told(data);
			}
			if (data.gone) {
				end("stopped: " + data.gone + "; run the cell again");
			} else if (data.going === false) {
				end("");
			} else {
				view.note(data.error || "");
				view.enable(true);
			}
		}

		function watch() {
			const now = Date.now();
			if (!root.isConnected) { // scrolled far away, or removed
				if (now - seen > awayFor && !away) {
					away = true;
					if (socket) {
						socket.close();
					}
				}
				return;
			}
			seen = now;
			if (away) {
				away = false;
				connect();
			} else if (socket && socket.readyState === WebSocket.OPEN) {
				if (now - heard > pageGivesUp) {
					socket.close();
				} else if (now - heard > pageHears) {
					view.note(`no word from the kernel since ${clock(heard)}`);
					send("comm_msg", { data: { display: display, do: "attach" } });
				} else if (now - said > pageSays) {
					send("comm_msg", { data: { display: display, do: "here" } });
				}
			}
		}
	}

	function clock(time) {
		return new Date(time).toTimeString().slice(0, 8);
	}
}
