// The page's side of controls that call a function; package live says what is on the wire.
(ATTACH)(JUPYTER, "KERNEL", "DISPLAY", (root, link) => {
	"use strict";
	const display = "DISPLAY";
	const follows = 2000; // milliseconds in which the front end shows a result, where it does
	const group = root.querySelector("fieldset");
	const hint = root.querySelector("[data-note]");
	const controls = [...root.querySelectorAll("[data-i]")];
	const page = Math.random().toString(36).slice(2); // this view among those of all pages
	let sent = 0; // the number of the last values that this view has sent
	let latest = 0; // the number of the last result
	let own = false; // this view shows results, since the front end does not
	let waiting = 0; // a timer: whether the front end shows the result
	hint.setAttribute("role", "status");

	for (const c of controls) {
		if (c.tagName === "BUTTON") {
			c.addEventListener("click", () => {
				c.value = String(Number(c.value) + 1);
				send();
			});
		} else {
			c.addEventListener("input", send);
		}
	}
	return { told, returned: compare, enable, note, close: () => enable(false) };

	function send() {
		const values = [];
		for (const c of controls) {
			write(c);
			values[Number(c.dataset.i)] = value(c);
		}
		root.style.opacity = 0.7; // until there is a result
		link.act("set", { page: page, n: ++sent, values: values });
	}

	// value is what a control sets, as the function is given it. A slider by factors has the
	// places 0 to max; one that stands where it was put has the number that it was put to.
	function value(c) {
		if (c.type === "checkbox") {
			return String(c.checked);
		}
		if (c.dataset.from === undefined) {
			return c.value;
		}
		if (c.value === (c.dataset.at || c.defaultValue)) {
			return c.dataset.start;
		}
		const from = Number(c.dataset.from), to = Number(c.dataset.to);
		const x = from * Math.pow(to / from, Number(c.value) / Number(c.max));
		return String(c.dataset.whole === "true" ? Math.round(x) : Number(x.toPrecision(3)));
	}

	function put(c, text) {
		if (c.type === "checkbox") {
			c.checked = text === "true";
		} else if (c.dataset.from === undefined) {
			c.value = text;
		} else {
			const from = Number(c.dataset.from), to = Number(c.dataset.to);
			c.value = String(Math.round(Number(c.max) * Math.log(Number(text) / from) / Math.log(to / from)));
			c.dataset.at = c.value;
			c.dataset.start = text;
		}
		write(c);
	}

	function write(c) {
		const out = c.parentElement.querySelector("output");
		if (out) {
			out.textContent = value(c);
		}
	}

	function told(data) {
		const state = data.state;
		latest = state.n;
		// Earlier values of this view do not take its control out of a person's hand.
		if (state.page !== page || state.sent === sent) {
			root.style.opacity = 1;
			for (const c of controls) {
				if (value(c) !== state.values[Number(c.dataset.i)]) {
					put(c, state.values[Number(c.dataset.i)]);
				}
			}
		}
		// A front end knows of its displays no longer when the page is loaded again.
		own = own || data.age > performance.now();
		if (data.html !== undefined && own && shown() < latest) {
			draw(data.html, latest);
		}
		compare();
	}

	// line says in the page, as a display of its own, of which values the result below it is.
	function line() {
		const area = root.closest(".jp-OutputArea") || document;
		return area.querySelector(`[data-holt-result="${display}"]`);
	}

	// shown is the number of the result that the front end shows.
	function shown() {
		const l = line();
		return l ? Number(l.dataset.n) : -1;
	}

	// compare has the result in the page that is the last one.
	function compare() {
		clearTimeout(waiting);
		if (shown() >= latest) {
			const drawn = root.querySelector("[data-drawn]");
			if (drawn) {
				drawn.remove(); // the front end's own can be touched
			}
		} else if (!own) {
			waiting = setTimeout(() => {
				own = shown() < latest;
				compare();
			}, follows);
		} else {
			const drawn = root.querySelector("[data-drawn]");
			if (!drawn || Number(drawn.dataset.drawn) < latest) {
				link.act("attach", 0);
			}
		}
	}

	// draw shows a result below the controls, and no longer the one of before, which the front end
	// has. A picture is decoded first, or there would be a moment without any.
	function draw(html, n) {
		const fresh = document.createElement("div");
		fresh.dataset.drawn = n;
		fresh.innerHTML = html;
		const rule = document.createElement("style");
		const old = `.jp-OutputArea-child:has([data-holt-result="${display}"])`;
		rule.textContent = `${old}, ${old} + .jp-OutputArea-child { display: none }`;
		fresh.append(rule);
		Promise.allSettled([...fresh.querySelectorAll("img")].map((p) => p.decode())).then(() => {
			const drawn = root.querySelector("[data-drawn]");
			if (n === latest && (!drawn || Number(drawn.dataset.drawn) < n)) {
				if (drawn) {
					drawn.remove();
				}
				root.append(fresh);
			}
		});
	}

	function enable(on) {
		group.disabled = !on;
	}

	function note(text) {
		hint.textContent = text;
		hint.style.display = text ? "" : "none";
	}
});
