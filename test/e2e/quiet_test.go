package e2e

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/assert"
)

// requireQuiet wants an outage to be told, not shouted, and broken connections not to be told one by one.
func (c *collector) requireQuiet(broken int) {
	c.t.Helper()
	await(c.t, "the database to be as often there as away", func() error {
		away, back := len(c.log().lines(awayLine)), len(c.log().lines(backLine))
		if away != back {
			return fmt.Errorf("%d times away, %d times back", away, back)
		}
		return nil
	})
	lines := c.complaints()
	c.t.Logf("%d complaints", len(lines))
	assert.LessOrEqual(c.t, len(without(lines, awayLine)), 10+broken/10, "%q", lines)
}

// complaints gives the warnings and errors in the log, but for those of a sound collector in the folder of a test: there are
// no log files to read, a container tells of itself only, a crash left a lock, and the prometheus receiver takes its own
// end for an error.
func (c *collector) complaints() []string {
	lines := append(c.log().lines("\twarn\t"), c.log().lines("\terror\t")...)
	return without(lines, "no files match the configured criteria", "No `root_path` config set", "A lockfile from a previous execution", "API server failed")
}

// without gives the lines that hold none of the words.
func without(lines []string, words ...string) []string {
	var left []string
line:
	for _, line := range lines {
		for _, word := range words {
			if strings.Contains(line, word) {
				continue line
			}
		}
		left = append(left, line)
	}
	return left
}
