// The page's side of a display that follows a run; package live says what is on the wire.
(ATTACH)(JUPYTER, "KERNEL", "DISPLAY", (root, link) => {
	"use strict";
	const shown = new Map(); // name of a part → its HTML
	const controls = steering();
	let width = 0; // for which the parts have their heights
	let seq = Number(root.dataset.seq) - 1;
	render(root.innerHTML, seq + 1, true);
	return {
		told(data) {
			render(data.html, data.seq, data.going);
		},
		returned(html, seq) {
			render(html, seq, true);
		},
		enable: controls.enable,
		note: controls.note,
		close: controls.close,
	};

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
		const pause = button("Pause", () => link.act(paused ? "resume" : "pause", 0));
		// The work of hours is not to end by a slip.
		const stop = button("Stop", () => {
			if (sure) {
				link.act("stop", 0);
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
			link.act("lr", value);
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
});
