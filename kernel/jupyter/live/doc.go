// Package live keeps what a page shows of a run true, also after the page was
// loaded again, in a second browser, and when the kernel has ended. It does the same
// for controls that call a function.
//
// The display of a run that goes on is HTML that says of when it is, with the
// script follow.js. Where the page comes from a Jupyter server and the notebook
// is trusted, the script opens a comm, brings the view up to date in place, and
// adds buttons that steer the run. Everywhere else the HTML is what is shown, and
// updates of the display replace it, where the front end still knows the display.
//
// Controls have the script interact.js, which is their way to the function. The result
// is a display of its own beside them, with a line that says of which values it is.
// Where the front end no longer brings that up to date, the script asks for the result
// and shows it in its place.
//
// What the scripts have in common, the comm and its end, is attach.js.
//
// # On the wire
//
// The page opens a comm with target "holt_live" and an id that begins with
// "holt-live-". Each message names the display, so that a kernel that was
// restarted, and has never heard of the comm, can say so:
//
//	{"display": …, "do": "attach"}             page → kernel   show me the display; also data of the open
//	{"display": …, "do": "here"}               page → kernel   I am still there
//	{"display": …, "do": ACTION, "value": …}   page → kernel   pause, resume, stop, lr; set
//	{"html": …, "seq": …, "going": …}          kernel → page   the state; a greater seq is later
//	{…, "state": …, "age": …}                  kernel → page   of controls; html only after attach
//	{"beat": true}                             kernel → page   nothing has changed
//	{"gone": WHY}                              kernel → page   it ended before its time, or this kernel does not know it
//	{"error": …}                               kernel → page   why an action was not carried out
package live
