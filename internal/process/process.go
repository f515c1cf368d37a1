// Package process starts and ends programs in the ways that systems differ in: groups and
// sessions of processes, and the request to end. It reads what Linux says of them.
package process
