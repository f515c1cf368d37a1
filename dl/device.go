package dl

import (
	"fmt"

	"github.com/gomlx/compute"
)

// device is one device of one backend.
type device struct {
	name    string // the backend as the user names it: cuda, cpu or go
	backend compute.Backend
	num     compute.DeviceNum
}

// label is the device's name as [Devices] shows it.
func (d *device) label() string {
	if d.name == "cuda" {
		return fmt.Sprintf("cuda:%d", d.num)
	}
	return d.name + fmt.Sprintf(":%d", d.num)
}
