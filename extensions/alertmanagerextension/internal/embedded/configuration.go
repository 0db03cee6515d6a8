package embedded

import (
	"errors"
	"os"
	"sync"

	"github.com/prometheus/alertmanager/config"
	"go.yaml.in/yaml/v3"
)

// Configuration is an alertmanager.yml that was read.
type Configuration struct {
	parsed *config.Config
	// text and path of its source. An inline one has no path.
	text, path string

	once sync.Once
	root yaml.Node
}

// nodes of the text, with the lines and secrets of the values. A text that is no YAML has none.
func (c *Configuration) nodes() *yaml.Node {
	// What is wrong with it the library says, with the line.
	c.once.Do(func() { _ = yaml.Unmarshal([]byte(c.text), &c.root) })
	return &c.root
}

// Parse reads an inline configuration. Its relative paths begin at the working directory. The error is a *ConfigError.
func Parse(text string) (*Configuration, error) {
	c := &Configuration{text: text}
	parsed, err := parse(text)
	if err != nil {
		return nil, c.fault(err)
	}
	c.parsed = parsed
	return c, nil
}

// ParseFile reads a configuration file. Its relative paths begin at its folder. The error is a *ConfigError.
func ParseFile(path string) (*Configuration, error) {
	text, err := os.ReadFile(path)
	c := &Configuration{text: string(text), path: path}
	if err != nil {
		return nil, &ConfigError{File: path, Reason: reasonOfPath(err)}
	}
	if c.parsed, err = parseFile(path); err != nil {
		return nil, c.fault(err)
	}
	return c, nil
}

// reasonOfPath leaves out the path, which a ConfigError has already.
func reasonOfPath(err error) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return "cannot be read: " + path.Err.Error()
	}
	return "cannot be read: " + err.Error()
}

// Templates are patterns of the files that the configuration takes templates from.
func (c *Configuration) Templates() []string { return c.parsed.Templates }
