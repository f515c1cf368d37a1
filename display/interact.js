
(() => {
	"use strict";
	const root = document.getElementById("ID");
	if (!root) {
		return;
	}
	const note = root.querySelector("[data-note]");
	const controls = [...root.querySelectorAll("[data-i]")];
	const say = (text) => {
		note.textContent = text;
		note.style.display = text ? "" : "none";
	};
	// A slider by factors has the places 0 to max.
	const position = (c) => {
		if (!c.dataset.from) {
			return c.value;
		}
		if (c.value === c.defaultValue) {
			return c.dataset.start; // which may lie between two places
		}
		const from = Number(c.dataset.from), to = Number(c.dataset.to);
		const x = from * Math.pow(to / from, Number(c.value) / Number(c.max));
		return String(c.dataset.whole === "true" ? Math.round(x) : Number(x.toPrecision(3)));
	};
	const value = (c) => (c.type === "checkbox" ? String(c.checked) : c.type === "range" ? position(c) : c.value);
	let comm = null;
	let answer = 0; // a timer: no answer so far
	const send = () => {
		for (const c of controls) {
			const out = c.parentElement.querySelector("output");
			if (out) {
				out.textContent = value(c);
			}
		}
		if (!comm) {
			return;
		}
		const values = [];
		controls.forEach((c) => { values[Number(c.dataset.i)] = value(c); });
		comm.send("ADDRESS", JSON.stringify({ at: performance.timeOrigin + performance.now(), values: values }));
		clearTimeout(answer);
		answer = setTimeout(() => say("The kernel does not answer. Was it restarted? Run this cell again to use its controls."), 5000);
	};
	const connect = () => {
		comm = globalThis.gonb_comm;
		comm.subscribe("ADDRESS/state", (_, state) => {
			clearTimeout(answer);
			root.style.opacity = state === "busy" ? 0.7 : 1;
			say(performance.timeOrigin > BORN ? "This page was loaded after the cell ran: where the result does not follow, run the cell again." : "");
		});
		say("");
	};
	for (const c of controls) {
		if (c.tagName === "BUTTON") {
			c.addEventListener("click", () => { c.value = String(Number(c.value) + 1); send(); });
		} else {
			c.addEventListener("input", send);
		}
	}
	// The connection is made by a script that comes after this one.
	let tries = 0;
	const wait = () => {
		const there = globalThis.gonb_comm;
		if (there && there.alive) {
			connect();
		} else if (++tries < 100) {
			setTimeout(wait, 100);
		} else {
			say("This page is not connected with the kernel: run this cell in JupyterLab to use its controls.");
		}
	};
	wait();
})();
