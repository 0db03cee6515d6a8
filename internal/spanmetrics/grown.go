package spanmetrics

import (
	"fmt"
	"time"
)

// grown is PromQL for what counters grew by in a time. Of those that were not there at its start it counts what they began
// with, too, which increase alone leaves out: the connectors begin a counter with the first calls, and end it when there
// are none for long. The two vectors are told apart by a label, so that a sum over others adds them.
func grown(selector string, over time.Duration) string {
	const format = `(label_replace(increase(%[1]s[%[2]dms]), "part", "grown", "", "")` +
		` or label_replace(min_over_time(%[1]s[%[2]dms]) unless %[1]s offset %[2]dms, "part", "began", "", ""))`
	return fmt.Sprintf(format, selector, over.Milliseconds())
}
