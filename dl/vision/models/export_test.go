package models

// Narrow is VGG16 in shape, small enough to train in a test.
func Narrow(hidden, divisor, classes int) *VGG { return vgg(hidden, divisor, classes, false) }
