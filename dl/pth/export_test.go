package pth

// Read lets tests read bytes without a file.
var Read = read
