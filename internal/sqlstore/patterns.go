package sqlstore

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"sync"
)

// maxPatterns bounds the regular expressions that are kept compiled.
const maxPatterns = 100

// patterns is the SQL function matches(pattern, text) of SQLite: RE2, on the whole text.
type patterns struct {
	mu       sync.Mutex
	compiled map[string]*regexp.Regexp
}

func newPatterns() *patterns { return &patterns{compiled: map[string]*regexp.Regexp{}} }

func (p *patterns) match(args []driver.Value) (driver.Value, error) {
	pattern, ok := args[0].(string)
	value, ok2 := args[1].(string)
	if !ok || !ok2 {
		return nil, fmt.Errorf("matches needs two texts, has %T and %T", args[0], args[1])
	}
	re, err := p.get(pattern)
	if err != nil {
		return nil, err
	}
	if re.MatchString(value) {
		return int64(1), nil
	}
	return int64(0), nil
}

func (p *patterns) get(pattern string) (*regexp.Regexp, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if re, ok := p.compiled[pattern]; ok {
		return re, nil
	}
	re, err := regexp.Compile(anchored(pattern))
	if err != nil {
		return nil, err
	}
	if len(p.compiled) >= maxPatterns {
		clear(p.compiled)
	}
	p.compiled[pattern] = re
	return re, nil
}

// anchored makes a pattern match whole texts, as Prometheus does.
func anchored(pattern string) string { return "^(?s:" + pattern + ")$" }
