//go:build !linux

package devstack

import "os/exec"

// detach does nothing where the kernel cannot tie a child to its parent.
func detach(*exec.Cmd) {}
