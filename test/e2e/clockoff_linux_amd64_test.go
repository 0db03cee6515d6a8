package e2e

import (
	"bytes"
	"debug/elf"
	encoding "encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startWithClockOff starts a command whose clock is off. A Go program asks the time of the vDSO, the kernel's code in its memory,
// which no library can be put before. So the command is stopped at its start, and the kernel's function there is
// overwritten by one that adds to what the system call says.
func startWithClockOff(cmd *exec.Cmd, by time.Duration) error {
	if by == 0 {
		return cmd.Start()
	}
	runtime.LockOSThread() // ptrace(2) knows threads
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr.Ptrace = true
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	if !status.Stopped() {
		return fmt.Errorf("the command is not stopped at its start: %v", status)
	}
	return errors.Join(patchClock(pid, by), unix.PtraceDetach(pid))
}

// moveClock makes the clock of a running process jump, if it was off from its start: the code that it may be in the midst of
// stays, but for the seconds.
func moveClock(pid int, by time.Duration) (err error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, syscall.Kill(pid, syscall.SIGCONT)) }()
	return patchClock(pid, by)
}

// patchClock overwrites __vdso_clock_gettime of a stopped process.
func patchClock(pid int, by time.Duration) error {
	base, size, err := findVDSO(pid)
	if err != nil {
		return err
	}
	memory, err := os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer memory.Close()
	image := make([]byte, size)
	if _, err := memory.ReadAt(image, base); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	file, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		return err
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return err
	}
	for _, symbol := range symbols {
		if symbol.Name == "__vdso_clock_gettime" {
			_, err := memory.WriteAt(clockCode(by), base+int64(symbol.Value))
			return err
		}
	}
	return errors.New("the vDSO has no __vdso_clock_gettime")
}

// clockCode is clock_gettime(clock in edi, *timespec in rsi) by the system call, with seconds added to CLOCK_REALTIME.
func clockCode(by time.Duration) []byte {
	code := []byte{
		0xb8, 0xe4, 0, 0, 0, // mov eax, 228: clock_gettime
		0x0f, 0x05, // syscall, which leaves edi and rsi as they are
		0x85, 0xff, // test edi, edi: is it CLOCK_REALTIME, which is 0
		0x75, 0x07, // jne over the next
		0x48, 0x81, 0x06, // add qword [rsi],
	}
	code = encoding.LittleEndian.AppendUint32(code, uint32(int32(by/time.Second))) // the seconds
	return append(code, 0xc3)                                                      // ret
}

// findVDSO gives where the vDSO of a process begins, and its size.
func findVDSO(pid int) (base, size int64, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(maps)) {
		if strings.Contains(line, "[vdso]") {
			var end int64
			_, err := fmt.Sscanf(line, "%x-%x", &base, &end)
			return base, end - base, err
		}
	}
	return 0, 0, errors.New("the process has no vDSO")
}
