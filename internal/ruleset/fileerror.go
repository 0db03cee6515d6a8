package ruleset

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/grafana/regexp"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"
)

// FileError tells why the rules of a file cannot be used.
type FileError struct {
	File string
	// Line and Column of the fault, from 1; 0 where none can be told.
	Line, Column int
	Reason       string
}

// Error is what compilers write, so that editors find the place.
func (f FileError) Error() string {
	switch {
	case f.Line == 0:
		return fmt.Sprintf("%s: %s", f.File, f.Reason)
	case f.Column == 0:
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Reason)
	default:
		return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Reason)
	}
}

// Where Prometheus' parser and the YAML library put the place into their messages.
var (
	ruleError = regexp.MustCompile(`(?s)^(\d+):(\d+): (?:\d+:\d+: )?(.*)$`)
	// unknownPlace is what the parser writes of nodes whose place it has lost.
	unknownPlace = regexp.MustCompile(`^(0:0: )+`)
	yamlError    = regexp.MustCompile(`(?s)^(?:yaml: )?(?:unmarshal errors:\n\s*)?line (\d+): (.*)$`)
)

// newFileError finds the place of an error of rulefmt.Parse.
func newFileError(file string, content []byte, err error) FileError {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if m := ruleError.FindStringSubmatch(text); len(m) > 0 && m[1] != "0" {
		return FileError{File: file, Line: number(m[1]), Column: number(m[2]), Reason: m[3]}
	}
	if m := yamlError.FindStringSubmatch(text); m != nil {
		return FileError{File: file, Line: number(m[1]), Reason: m[2]}
	}
	f := FileError{File: file, Reason: unknownPlace.ReplaceAllString(text, "")}
	if rule, ok := errors.AsType[*rulefmt.Error](err); ok {
		f.Line, f.Column = findRule(content, rule.Group, rule.Rule)
	} else {
		f.Line, f.Column = findGroup(content)
	}
	return f
}

func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0 // beyond what a file can have
	}
	return n
}

// nodes of a rule file.
type nodes struct {
	Groups []yaml.Node
}

type group struct {
	Name  string
	Rules []yaml.Node
}

// findRule gives the place of a group's rule, counted from 1. The parser does not tell it for faults of labels,
// annotations and templates.
func findRule(content []byte, name string, rule int) (line, column int) {
	var file nodes
	if yaml.Unmarshal(content, &file) != nil {
		return 0, 0
	}
	for i := range file.Groups {
		var g group
		if file.Groups[i].Decode(&g) == nil && g.Name == name && rule >= 1 && rule <= len(g.Rules) {
			return g.Rules[rule-1].Line, g.Rules[rule-1].Column
		}
	}
	return 0, 0
}

// findGroup gives the place of the first group that has no name, or that of another; else of the first group. The
// parser does not tell it.
func findGroup(content []byte) (line, column int) {
	var file nodes
	if yaml.Unmarshal(content, &file) != nil || len(file.Groups) == 0 {
		return 0, 0
	}
	found := &file.Groups[0]
	seen := map[string]bool{"": true}
	for i := range file.Groups {
		var g group
		if file.Groups[i].Decode(&g) != nil || seen[g.Name] {
			found = &file.Groups[i]
			break
		}
		seen[g.Name] = true
	}
	return found.Line, found.Column
}
