package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// gauge reads one of the process's own metrics, of whatever labels. It gives an error where there is none.
func (c *collector) gauge(name string) (float64, error) {
	_, text, err := tryRequest(http.MethodGet, at(c.telemetry, "/metrics"), "", nil)
	if err != nil {
		return 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if rest, found := strings.CutPrefix(lines.Text(), name); found && (rest[0] == ' ' || rest[0] == '{') {
			return strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// runningQueries gives an error while fewer queries run.
func (c *collector) runningQueries(want int) error {
	got, err := c.gauge("prometheus_engine_queries")
	if err != nil {
		return err
	}
	return atLeast(int(got), want)
}
