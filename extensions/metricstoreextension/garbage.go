package metricstoreextension

import (
	"os"
	"runtime/debug"
	"sync"
)

// setGCPercent sets how much garbage the process gathers before it collects it, in percent of the memory in use,
// and gives a function that sets the value of before again. 0 leaves it, and so does a GOGC in the environment:
// there an operator has spoken of the whole process.
//
// It is set here and not for every collector because it is the series of a TSDB that live long: they are most of
// the memory in use, and Go's default of 100 lets as much garbage gather beside them.
func setGCPercent(percent int) (restore func()) {
	if percent == 0 || os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(percent)
	return sync.OnceFunc(func() { debug.SetGCPercent(before) })
}
