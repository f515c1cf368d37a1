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

	const jupyter = JUPYTER;
	const session = jupyter.unique();
	const subscribers = new Map(); // address → Map of symbol → callback
	const variables = new Map(); // address → synced variable
	let socket = null;
	let comm = "";
	let queue = []; // values that wait for the connection
	let failures = 0;

	function message(type, content) {
		jupyter.send(socket, session, type, content);
	}

	function connect() {
		try {
			socket = jupyter.connect(kernel, session);
		} catch (err) {
			gonb_comm.alive = false;
			console.error("gonb_comm: this page has no Jupyter server, so that widgets cannot work in it: " + err);
			return;
		}
		socket.onopen = () => {
			failures = 0;
			comm = jupyter.unique();
			message("comm_open", { comm_id: comm, target_name: "gonb_comm", data: {} });
			const waiting = queue;
			queue = [];
			waiting.forEach(([address, value]) => gonb_comm.send(address, value));
		};
		socket.onmessage = (event) => {
			const data = jupyter.read(event, comm);
			if (data) {
				receive(data.address, data.value);
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
