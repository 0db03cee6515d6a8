package e2e

import (
	"bytes"
	"strings"
	"sync"
)

// logBuffer keeps what a process writes.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes output.
func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String gives all output.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// lines gives the lines that hold all words.
func (l *logBuffer) lines(words ...string) []string {
	var found []string
line:
	for line := range strings.Lines(l.String()) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue line
			}
		}
		found = append(found, strings.TrimSpace(line))
	}
	return found
}

// tail gives the last bytes of the output.
func (l *logBuffer) tail(n int) string {
	text := l.String()
	if len(text) <= n {
		return text
	}
	return "…" + strings.ToValidUTF8(text[len(text)-n:], "")
}
