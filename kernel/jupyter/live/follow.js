// The page's side of a display that follows a run; package live says what is on the wire.
(() => {
	"use strict";
	const jupyter = JUPYTER;
	if (!jupyter.known) {
		return; // what is shown stays as of the time that it says
	}
	const kernel = "KERNEL", display = "DISPLAY";
	const pageHears = 8000, pageGivesUp = 20000, pageSays = 10000, awayFor = 60000; // milliseconds

	// All views in this page, so that one that the front end renders again goes on in its new
	// place, with what a person was writing in it.
	const views = globalThis.holt_live = globalThis.holt_live || new Set();
	for (const root of document.querySelectorAll(`[data-holt-live="${display}"]:not([data-follows])`)) {
		const seq = Number(root.dataset.seq), html = root.innerHTML;
		const old = [...views].find((v) => v.display === display && !v.root.isConnected && !v.over);
		if (old) {
			root.replaceWith(old.root);
			old.returned(html, seq);
		} else {
			follow(root, html, seq);
		}
	}

	function follow(root, html, seq) {
		root.dataset.follows = "";
		const session = jupyter.unique();
		let socket = null;
		let comm = "";
		let tries = 0;
		let heard = Date.now(), said = 0, seen = Date.now(); // when the kernel, this page, and root in the page
		let away = false;
		let focus = null;
		let width = 0; // for which the parts have their heights
		const shown = new Map(); // name of a part → its HTML
		const controls = steering();

		const view = {
			display: display, root: root, over: false,
			returned(html, newer) {
				render(html, newer, true);
				if (focus && document.activeElement === document.body) {
					focus.focus({ preventScroll: true });
				}
			},
		};
		views.add(view);
		root.addEventListener("focusin", (event) => focus = event.target);
		root.addEventListener("focusout", () => setTimeout(() => {
			if (root.isConnected && !root.contains(document.activeElement)) {
				focus = null;
			}
		}));
		seq--;
		render(html, seq + 1, true);
		controls.enable(false);
		const timer = setInterval(watch, 2000);
		connect();

		// render brings the parts up to date that differ. A picture is decoded before it takes
		// the place of the last one, or there would be a moment without any.
		function render(html, newer, going) {
			if (newer <= seq) {
				return;
			}
			seq = newer;
			const template = document.createElement("template");
			template.innerHTML = html;
			const fresh = template.content.firstElementChild;
			const names = (node) => [...node.querySelectorAll("[data-part]")].map((p) => p.dataset.part).join();
			if (names(fresh) !== names(root)) {
				root.replaceChildren(fresh);
				return;
			}
			for (const part of fresh.querySelectorAll("[data-part]")) {
				const name = part.dataset.part, markup = part.innerHTML;
				const place = root.querySelector(`[data-part="${name}"]`);
				if (name === "steer") {
					controls.show(place, fresh.dataset, going);
				} else if (shown.get(name) !== markup) {
					shown.set(name, markup);
					const pictures = [...part.querySelectorAll("img")];
					Promise.allSettled(pictures.map((p) => p.decode())).then(() => {
						if (shown.get(name) === markup) {
							place.replaceChildren(...part.childNodes);
							keepHeight(place);
						}
					});
				}
			}
		}

		// keepHeight keeps a line that took two rows from jumping between one and two, as
		// its numbers become longer and shorter.
		function keepHeight(place) {
			if (place.offsetWidth !== width) {
				width = place.offsetWidth;
				root.querySelectorAll("[data-part]").forEach((part) => part.style.minHeight = "");
			}
			place.style.minHeight = place.offsetHeight + "px";
		}

		// end says that nothing more is to come.
		function end(sentence) {
			view.over = true;
			views.delete(view);
			clearInterval(timer);
			controls.close();
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
			if (view.over || away) {
				return;
			}
			controls.enable(false);
			controls.note(`no connection with the kernel since ${clock(heard)}; trying again`);
			setTimeout(connect, 1000 * Math.min(30, 2 ** tries++));
		}

		async function connect() {
			try {
				const answer = await fetch(jupyter.kernel(kernel), { credentials: "same-origin", cache: "no-store" });
				if (answer.status === 404) {
					end("stopped: the kernel has ended, and the run with it; run the cell again");
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
				controls.note("");
				send("comm_msg", { data: { display: display, do: action, value: value || 0 } });
			}
		}

		function receive(data) {
			heard = Date.now();
			tries = 0;
			if (data.gone) {
				end("stopped: " + data.gone + "; run the cell again");
				return;
			}
			controls.note(data.error || "");
			if (data.html) {
				render(data.html, data.seq, data.going);
				if (!data.going) {
					end("");
					return;
				}
			}
			controls.enable(true);
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
					controls.note(`no word from the kernel since ${clock(heard)}`);
					send("comm_msg", { data: { display: display, do: "attach" } });
				} else if (now - said > pageSays) {
					send("comm_msg", { data: { display: display, do: "here" } });
				}
			}
		}

		// steering are the buttons.
		function steering() {
			const group = document.createElement("div");
			group.setAttribute("role", "group");
			group.setAttribute("aria-label", "training run");
			group.style.cssText = "display:flex;flex-wrap:wrap;gap:6px;align-items:center;min-height:30px;margin:4px 0";
			const style = "font:inherit;color:inherit;background:transparent;border:1px solid currentColor;border-radius:3px;padding:1px 10px";
			function button(text, press) {
				const b = document.createElement("button");
				b.type = "button";
				b.textContent = text;
				b.style.cssText = style + ";cursor:pointer";
				b.addEventListener("click", press);
				return b;
			}
			let paused = false, lr = "", written = false, sure = null;
			const pause = button("Pause", () => act(paused ? "resume" : "pause"));
			// The work of hours is not to end by a slip.
			const stop = button("Stop", () => {
				if (sure) {
					act("stop");
				}
				clearTimeout(sure);
				const asked = sure;
				sure = asked ? null : setTimeout(unsure, 4000);
				stop.textContent = asked ? "Stop" : "Really stop?";
			});
			function unsure() {
				sure = null;
				stop.textContent = "Stop";
			}
			const field = document.createElement("input");
			field.type = "text";
			field.inputMode = "decimal";
			field.style.cssText = style + ";width:7em";
			const label = document.createElement("label");
			label.style.cssText = "display:flex;gap:6px;align-items:center;margin-left:10px";
			label.append("learning rate", field);
			const set = button("Set", () => {
				const value = Number(field.value);
				if (field.value.trim() === "" || !(value >= 0) || value === Infinity) {
					note.textContent = "the learning rate is to be a number that is not negative";
					return;
				}
				written = false;
				act("lr", value);
			});
			set.setAttribute("aria-label", "Set the learning rate");
			field.addEventListener("input", () => written = field.value !== lr);
			field.addEventListener("keydown", (event) => {
				event.stopPropagation(); // the notebook has keys of its own
				if (event.key === "Enter") {
					set.click();
				} else if (event.key === "Escape") {
					written = false;
					field.value = lr;
				}
			});
			const note = document.createElement("small");
			note.setAttribute("role", "status");
			let steerable = false;
			return {
				show(place, state, going) {
					if (place.firstChild !== group) {
						place.replaceChildren(group);
					}
					if (going && state.lr !== undefined && !steerable) {
						steerable = true;
						group.prepend(pause, stop, label, set);
					}
					if (!note.parentNode) {
						group.append(note);
					}
					paused = state.paused === "true";
					const text = paused && going ? "Resume" : "Pause";
					if (pause.textContent !== text) {
						pause.textContent = text;
					}
					if (state.lr !== undefined && state.lr !== lr) {
						lr = state.lr;
						if (!written) {
							field.value = lr;
						}
					}
				},
				enable(on) {
					for (const node of [pause, stop, field, set]) {
						node.disabled = !on;
						node.style.opacity = on ? "" : "0.5";
					}
				},
				// close leaves their place empty.
				close() {
					note.textContent = "";
					group.style.visibility = "hidden";
				},
				note(text) {
					if (note.textContent !== text) {
						note.textContent = text;
					}
				},
			};
		}
	}

	function clock(time) {
		return new Date(time).toTimeString().slice(0, 8);
	}
})();
