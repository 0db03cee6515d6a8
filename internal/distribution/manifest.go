package distribution

import (
	"fmt"
	"os"
	"path"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Manifest is builder-config.yaml as far as tests need it.
type Manifest struct {
	Dist       Dist     `yaml:"dist"`
	Extensions []Module `yaml:"extensions"`
	Receivers  []Module `yaml:"receivers"`
	Processors []Module `yaml:"processors"`
	Exporters  []Module `yaml:"exporters"`
	Connectors []Module `yaml:"connectors"`
	Providers  []Module `yaml:"providers"`
}

// Dist describes the distribution.
type Dist struct {
	Module      string `yaml:"module"`
	Name        string `yaml:"name"`
	Description string `yaml:"description"`
	OutputPath  string `yaml:"output_path"`
	Version     string `yaml:"version"`
}

// Module is one component: "path version" and, where the package is not the module's root, its import path.
type Module struct {
	GoMod  string `yaml:"gomod"`
	Import string `yaml:"import"`
}

// Read parses the manifest in a file. A key that Manifest does not know is an error: the builder ignores a
// misspelt one.
func Read(file string) (*Manifest, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	decoder := yaml.NewDecoder(f)
	decoder.KnownFields(true)
	var m Manifest
	if err := decoder.Decode(&m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &m, nil
}

// Components gives the modules by the kind that `otelcol components` lists them under.
func (m *Manifest) Components() map[string][]Module {
	return map[string][]Module{
		"extensions": m.Extensions,
		"receivers":  m.Receivers,
		"processors": m.Processors,
		"exporters":  m.Exporters,
		"connectors": m.Connectors,
	}
}

// Path is that of the module.
func (m Module) Path() string {
	modulePath, _, _ := strings.Cut(m.GoMod, " ")
	return modulePath
}

// Version is that of the module.
func (m Module) Version() string {
	_, version, _ := strings.Cut(m.GoMod, " ")
	return version
}

// Package is the import path of the component.
func (m Module) Package() string {
	if m.Import != "" {
		return m.Import
	}
	return m.Path()
}

// Name is the last element of the import path, and by it the folder's and the Go package's name.
func (m Module) Name() string {
	return path.Base(m.Package())
}
