package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// gauge reads one of the process's own metrics, the first that has these labels, written as k="v". It gives an error
// where there is none.
func (c *collector) gauge(name string, labels ...string) (float64, error) {
	_, text, err := tryRequest(http.MethodGet, at(c.telemetry, "/metrics"), "", nil)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), name); found && (rest[0] == ' ' || rest[0] == '{') && containsAll(rest, labels) {
			return strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

func containsAll(text string, parts []string) bool {
	return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) })
}

// runningQueries gives an error while fewer queries run.
func (c *collector) runningQueries(want int) error {
	got, err := c.gauge("prometheus_engine_queries")
	if err != nil {
		return err
	}
	return atLeast(int(got), want)
}
