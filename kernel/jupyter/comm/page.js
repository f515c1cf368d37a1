// The page's side of the connection between widgets and cells; package comm
// says what is on the wire. Scripts of widgets use globalThis.gonb_comm.
(() => {
	"use strict";
	const kernel = "KERNEL";
	const old = globalThis.gonb_comm;
	if (old && old.kernel === kernel && old.alive) {
		old.send("#hello", true);
		return;
	}
	if (old) {
		old.close();
	}

	// Where the Jupyter server is, as the page itself knows it.
	function option(name) {
		const node = document.getElementById("jupyter-config-data");
		try {
			const value = JSON.parse(node.textContent)[name];
			if (value) {
				return value;
			}
		} catch (_) {}
		return (document.body && document.body.dataset[name]) || "";
	}
	function address() {
		const base = new URL(option("baseUrl") || "/", location.href);
		let url = option("wsUrl") || base.href.replace(/^http/, "ws");
		if (!url.endsWith("/")) {
			url += "/";
		}
		const token = option("token") || option("jupyterApiToken");
		return url + "api/kernels/" + encodeURIComponent(kernel) + "/channels?session_id=" + session
			+ (token ? "&token=" + encodeURIComponent(token) : "");
	}
	// crypto.randomUUID is absent from pages that come by plain http.
	function unique() {
		return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
	}

	const session = unique();
	const subscribers = new Map(); // address → Map of symbol → callback
	const variables = new Map(); // address → synced variable
	let socket = null;
	let comm = "";
	let queue = []; // values that wait for the connection
	let failures = 0;

	function message(type, content) {
		const id = unique();
		socket.send(JSON.stringify({
			header: { msg_id: id, msg_type: type, session: session, username: "", date: new Date().toISOString(), version: "5.4" },
			msg_id: id, msg_type: type, parent_header: {}, metadata: {}, buffers: [], channel: "shell",
			content: content,
		}));
	}

	function connect() {
		try {
			socket = new WebSocket(address());
		} catch (err) {
			gonb_comm.alive = false;
			console.error("gonb_comm: this page has no Jupyter server, so that widgets cannot work in it: " + err);
			return;
		}
		socket.onopen = () => {
			failures = 0;
			comm = unique();
			message("comm_open", { comm_id: comm, target_name: "gonb_comm", data: {} });
			const waiting = queue;
			queue = [];
			waiting.forEach(([address, value]) => gonb_comm.send(address, value));
		};
		socket.onmessage = (event) => {
			if (typeof event.data !== "string") {
				return; // a message with buffers, which is none of ours
			}
			const msg = JSON.parse(event.data);
			if (msg.msg_type === "comm_msg" && msg.content.comm_id === comm) {
				receive(msg.content.data.address, msg.content.data.value);
			}
		};
		socket.onclose = () => {
			comm = "";
			failures++;
			if (!gonb_comm.alive) {
				return;
			}
			if (failures > 8) {
				gonb_comm.alive = false; // the kernel is gone; the next cell with widgets begins anew
				return;
			}
			setTimeout(() => gonb_comm.alive && connect(), 250 * 2 ** failures);
		};
	}

	function receive(address, value) {
		if (gonb_comm.debug) {
			console.log("gonb_comm: received", address, value);
		}
		if (address === "#heartbeat/ping") {
			gonb_comm.send("#heartbeat/pong", true);
			return;
		}
		if (address === "#read") {
			const variable = variables.get(value);
			if (variable) {
				gonb_comm.send(value, variable.get());
			}
			return;
		}
		for (const callback of [...(subscribers.get(address) || new Map()).values()]) {
			callback(address, value);
		}
	}

	const gonb_comm = {
		kernel: kernel,
		alive: true,
		debug: false,

		// send gives a value to what listens to an address in a cell.
		send(address, value) {
			if (this.debug) {
				console.log("gonb_comm: send", address, value);
			}
			if (!comm || socket.readyState !== WebSocket.OPEN) {
				queue.push([address, value]);
				return;
			}
			message("comm_msg", { comm_id: comm, data: { address: address, value: value } });
		},

		// subscribe calls callback(address, value) for what cells send to an
		// address. The symbol that it returns is for unsubscribe.
		subscribe(address, callback) {
			const id = Symbol(address);
			if (!subscribers.has(address)) {
				subscribers.set(address, new Map());
			}
			subscribers.get(address).set(id, callback);
			return id;
		},

		unsubscribe(id) {
			for (const [address, callbacks] of subscribers) {
				if (callbacks.delete(id) && callbacks.size === 0) {
					subscribers.delete(address);
				}
			}
		},

		// newSyncedVariable returns a variable that the page and the cells share
		// by its address, with methods set, get, subscribe and unsubscribe. One
		// that exists gets the new value. Either way the cells are told the value.
		newSyncedVariable(address, value) {
			let variable = variables.get(address);
			if (!variable) {
				variable = synced(address);
				variables.set(address, variable);
			}
			variable.assign(value);
			this.send(address, value);
			return variable;
		},

		close() {
			this.alive = false;
			if (globalThis.gonb_comm === this) {
				delete globalThis.gonb_comm;
			}
			if (comm && socket.readyState === WebSocket.OPEN) {
				message("comm_close", { comm_id: comm, data: {} });
			}
			comm = "";
			if (socket) {
				socket.close();
			}
		},
	};

	function synced(address) {
		const callbacks = new Map();
		let current = null;
		const variable = {
			assign(value) {
				if (value === current) {
					return false;
				}
				current = value;
				[...callbacks.values()].forEach((callback) => callback(value));
				return true;
			},
			set(value) {
				if (this.assign(value)) {
					gonb_comm.send(address, value);
				}
			},
			get() {
				return current;
			},
			subscribe(callback) {
				const id = Symbol(address);
				callbacks.set(id, callback);
				return id;
			},
			unsubscribe(id) {
				callbacks.delete(id);
			},
		};
		gonb_comm.subscribe(address, (_, value) => variable.assign(value));
		return variable;
	}

	globalThis.gonb_comm = gonb_comm;
	connect();
})();
