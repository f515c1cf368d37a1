// How a script in a page reaches its Jupyter server, as the page itself knows it: an
// expression, which Script puts into the scripts that need it.
(() => {
	const config = document.getElementById("jupyter-config-data");
	function option(name) {
		try {
			const value = JSON.parse(config.textContent)[name];
			if (value) {
				return value;
			}
		} catch (_) {}
		return (document.body && document.body.dataset[name]) || "";
	}
	const base = new URL(option("baseUrl") || "/", location.href).href;
	function withToken(url) {
		const token = option("token") || option("jupyterApiToken");
		return token ? url + (url.includes("?") ? "&" : "?") + "token=" + encodeURIComponent(token) : url;
	}
	return {
		// known is false in pages that come from no Jupyter server.
		known: config !== null || option("baseUrl") !== "",

		// unique is for pages that come by plain http, which have no crypto.randomUUID.
		unique() {
			return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
		},

		// kernel is the address that tells of a kernel.
		kernel(id) {
			return withToken(base + "api/kernels/" + encodeURIComponent(id));
		},

		// connect opens a connection with a kernel.
		connect(id, session) {
			let url = option("wsUrl") || base.replace(/^http/, "ws");
			if (!url.endsWith("/")) {
				url += "/";
			}
			return new WebSocket(withToken(url + "api/kernels/" + encodeURIComponent(id) + "/channels?session_id=" + session));
		},

		// send sends a kernel one of Jupyter's messages.
		send(socket, session, type, content) {
			const id = this.unique();
			socket.send(JSON.stringify({
				header: { msg_id: id, msg_type: type, session: session, username: "", date: new Date().toISOString(), version: "5.4" },
				msg_id: id, msg_type: type, parent_header: {}, metadata: {}, buffers: [], channel: "shell",
				content: content,
			}));
		},

		// read returns what a kernel sends to a comm; undefined for all else.
		read(event, comm) {
			if (typeof event.data !== "string") {
				return undefined; // a message with buffers, which is none of ours
			}
			const msg = JSON.parse(event.data);
			return msg.msg_type === "comm_msg" && msg.content.comm_id === comm ? msg.content.data : undefined;
		},
	};
})()
