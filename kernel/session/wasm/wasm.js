// Runs a program of %wasm in the page. Jupyter's configuration of the page says
// below which URL its files are.
(() => {
	"use strict";
	const program = "PROGRAM";
	function base() {
		const node = document.getElementById("jupyter-config-data");
		try {
			const url = JSON.parse(node.textContent).baseUrl;
			if (url) {
				return url;
			}
		} catch (_) {}
		return (document.body && document.body.dataset.baseUrl) || "/";
	}
	const folder = new URL(base().replace(/\/?$/, "/") + "files/" + program.folder + "/", location.href).href;
	function fail(err) {
		const div = document.getElementById(program.div);
		console.error("%wasm:", err);
		if (div) {
			div.innerText = "%wasm: " + err;
		}
	}
	function support() {
		if (globalThis.Go) {
			return Promise.resolve();
		}
		return new Promise((done, failed) => {
			const script = document.createElement("script");
			script.src = folder + "wasm_exec.js";
			script.onload = done;
			script.onerror = () => failed(new Error(script.src + " could not be loaded"));
			document.head.appendChild(script);
		});
	}
	async function run() {
		await support();
		const answer = await fetch(folder + program.file);
		if (!answer.ok) {
			throw new Error(answer.url + ": " + answer.status + " " + answer.statusText);
		}
		const go = new globalThis.Go();
		go.argv = program.args;
		// Not instantiateStreaming: not every server knows the type of .wasm files.
		const wasm = await WebAssembly.instantiate(await answer.arrayBuffer(), go.importObject);
		await go.run(wasm.instance);
	}
	run().catch(fail);
})();
