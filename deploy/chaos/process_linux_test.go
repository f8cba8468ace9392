package chaos

import (
	"os/exec"
	"syscall"
)

// dieWithUs has the kernel end a child when this process ends in a way that runs no cleanup.
func dieWithUs(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
