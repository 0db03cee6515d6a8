package embedded

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ConfigError is why a configuration is refused. It shows none of its secrets.
type ConfigError struct {
	// File is empty for an inline configuration.
	File string
	// Line begins at 1, and is 0 where it is not known.
	Line   int
	Reason string
}

// Error gives file:line: reason, as compilers do.
func (f *ConfigError) Error() string {
	where := f.File
	if where == "" {
		where = `"config"`
	}
	if f.Line > 0 {
		where += ":" + strconv.Itoa(f.Line)
	}
	return where + ": " + f.Reason
}

func (c *Configuration) fault(err error) *ConfigError {
	reason := strings.TrimPrefix(err.Error(), "yaml: ")
	reason = strings.TrimPrefix(reason, "unmarshal errors:\n  ")
	f := &ConfigError{File: c.path, Line: lineIn(reason)}
	if f.Line == 0 {
		f.Line = lineOf(c.nodes(), reason)
	} else {
		reason = firstLine.ReplaceAllString(reason, "")
	}
	f.Reason = redact(c.nodes(), reason)
	return f
}

var (
	lineNumber = regexp.MustCompile(`line (\d+)`)
	firstLine  = regexp.MustCompile(`^line \d+: `)
	// quoted is what Go's %q makes, yamlQuoted what the YAML library shows of a value of the wrong type.
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	yamlQuoted = regexp.MustCompile("`[^`]*`")
)

// lineIn finds a line that the library names.
func lineIn(reason string) int {
	if found := lineNumber.FindStringSubmatch(reason); found != nil {
		line, _ := strconv.Atoi(found[1]) // Digits only; 0 where there are too many.
		return line
	}
	return 0
}

// lineOf finds the place of the first value that the reason quotes: most checks that need the whole file name what is
// wrong and not where. The last place counts, since names are declared before they are used or declared twice.
func lineOf(root *yaml.Node, reason string) int {
	for _, text := range quoted.FindAllString(reason, -1) {
		value, err := strconv.Unquote(text)
		if err != nil || value == "" {
			continue
		}
		line := 0
		walk(root, "", func(_ string, n *yaml.Node) {
			if n.Value == value {
				line = n.Line
			}
		})
		if line > 0 {
			return line
		}
	}
	return 0
}

// secretKey matches the names of keys whose values are secret, or may hold secrets, as URLs of webhooks do.
var secretKey = regexp.MustCompile(`(?i)pass|secret|token|key|url|credential|auth|header|cookie|proxy`)

// redact takes out of a text the values of all keys that are, or may hold, secrets, and what a library quotes without
// saying of which key it is.
func redact(root *yaml.Node, text string) string {
	walk(root, "", func(key string, n *yaml.Node) {
		if len(n.Value) < 3 || !secretKey.MatchString(key) {
			return
		}
		text = strings.ReplaceAll(text, n.Value, "<secret>")
		if q := strconv.Quote(n.Value); q[1:len(q)-1] != n.Value {
			text = strings.ReplaceAll(text, q[1:len(q)-1], "<secret>")
		}
	})
	return yamlQuoted.ReplaceAllString(text, "`<value>`")
}

// walk visits all scalar values with the key that is nearest above them, in the order of the file.
func walk(n *yaml.Node, key string, visit func(key string, n *yaml.Node)) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			below := n.Content[i].Value
			if secretKey.MatchString(key) {
				below = fmt.Sprintf("%s.%s", key, below) // what is below a secret key is secret
			}
			walk(n.Content[i+1], below, visit)
		}
	case yaml.ScalarNode:
		visit(key, n)
	case yaml.AliasNode: // its anchor is visited
	default:
		for _, child := range n.Content {
			walk(child, key, visit)
		}
	}
}
