package xla

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/plugins"
)

// openPlugin opens the devices of an XLA plugin. Go-xla takes a plugin for
// CUDA's by its path, and XLA ends the process for a flag that this plugin does
// not know, so that both are looked after here.
func openPlugin(kind, path string, cuda CUDA) (compute.Backend, error) {
	neutral, remove, err := plugins.Neutral(kind, path)
	if err != nil {
		return nil, err
	}
	devices, restore, err := setFlags(kind, neutral, cuda.flags())
	if err != nil {
		remove()
		return nil, err
	}
	defer restore()
	// A full path keeps go-xla from searching, which may panic on a bad file,
	// and from its own installer, which needs the network.
	config := "xla:" + neutral
	if kind == "cuda" {
		config += cuda.options()
	}
	var b compute.Backend
	withoutSignals(func() {
		open := hooks.Get().OpenCPU
		if open == nil || kind != "cpu" {
			b, err = compute.NewWithConfig(config)
			return
		}
		var opened any
		if opened, err = open(neutral, devices); err == nil {
			b = opened.(compute.Backend)
		}
	})
	if err != nil || kind == "cpu" { // CUDA's compiler looks beside the plugin later
		remove()
	}
	if opened := hooks.Get().Opened; err == nil && opened != nil {
		opened(b, kind, path)
	}
	return b, err
}

// setFlags gives a plugin the flags that it knows, those of the environment and those that
// the settings of CUDA stand for, and says which of the environment's it does not know.
// XLA reads them once, when the plugin opens its devices; restore sets back what
// the user's programs see. devices is the number of devices of a processor.
func setFlags(kind, path string, settings []string) (devices int, restore func(), err error) {
	value, was := os.LookupEnv(plugins.FlagsEnv)
	known, unknown, err := plugins.FlagsFor(path, value)
	if err != nil {
		return 0, nil, err
	}
	if kind == "cpu" {
		if devices, known, err = cpuDevices(known); err != nil {
			return 0, nil, err
		}
	}
	if notice := hooks.Get().Notice; len(unknown) > 0 && notice != nil {
		notice(fmt.Sprintf("%s: the %s plugin, %s, does not know %s, and is opened without", plugins.FlagsEnv, kind, filepath.Base(path), strings.Join(unknown, " ")))
	}
	if kind == "cuda" {
		own, missing, err := plugins.FlagsFor(path, strings.Join(append(plugins.OwnFlags(path, value), settings...), " "))
		if err != nil {
			return 0, nil, err
		}
		for _, flag := range settings {
			if slices.Contains(missing, flag) {
				return 0, nil, fmt.Errorf("its plugin, %s, does not know %s", filepath.Base(path), flag)
			}
		}
		known = append(known, own...)
	}
	if !was && len(known) == 0 {
		return devices, func() {}, nil
	}
	os.Setenv(plugins.FlagsEnv, strings.Join(known, " "))
	return devices, func() {
		if was {
			os.Setenv(plugins.FlagsEnv, value)
		} else {
			os.Unsetenv(plugins.FlagsEnv)
		}
	}, nil
}

// devicesFlag is XLA's flag for the number of devices that a processor is shown as.
const devicesFlag = "--xla_force_host_platform_device_count"

// mostDevices is the number of devices of a processor with as many cores or more, where no
// flag gives another: it is what XLA's plugin opens by itself.
const mostDevices = 4

// cpuDevices takes the number of a processor's devices out of flags. XLA runs each program
// with as many threads as there are devices, if the cores are fewer, and they get in each
// other's way: so there are no more devices than cores, unless they are asked for.
func cpuDevices(flags []string) (devices int, others []string, err error) {
	devices = min(mostDevices, runtime.NumCPU())
	for _, flag := range flags {
		value, is := strings.CutPrefix(flag, devicesFlag+"=")
		if !is {
			others = append(others, flag)
			continue
		}
		if devices, err = strconv.Atoi(value); err != nil || devices < 1 {
			return 0, nil, fmt.Errorf("%s: %s is %q, want the number of devices, 1 or more", plugins.FlagsEnv, devicesFlag, value)
		}
	}
	return devices, others, nil
}
