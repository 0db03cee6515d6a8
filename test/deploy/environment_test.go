package deploy

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// environment of a container, as the kubelet would set it: what it takes from elsewhere has a value of that kind.
func environment(c corev1.Container) map[string]string {
	env := map[string]string{}
	for _, variable := range c.Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil && from.FieldRef != nil {
			value = map[string]string{
				"metadata.name": "pod-0", "metadata.namespace": namespace, "metadata.uid": "0e3506ed-8d66-4bc5-af3e-3a7d7e4df9ab",
				"spec.nodeName": "node-1", "status.hostIP": "127.0.0.1", "status.podIP": "127.0.0.1",
			}[from.FieldRef.FieldPath]
		} else if from != nil && from.SecretKeyRef != nil {
			value = map[string]string{"url": "postgres://monitoring@localhost/monitoring", "username": "ada", "password": "secret"}[from.SecretKeyRef.Key]
		}
		for name, earlier := range env {
			value = strings.ReplaceAll(value, "$("+name+")", earlier)
		}
		env[variable.Name] = value
	}
	return env
}

// memory in bytes, as Go reads GOMEMLIMIT.
func memory(text string) (int64, error) {
	number, found := strings.CutSuffix(text, "MiB")
	shift := 20
	if !found {
		number, found = strings.CutSuffix(text, "GiB")
		shift = 30
	}
	if !found {
		return 0, fmt.Errorf("%q is not in MiB or GiB", text)
	}
	n, err := strconv.ParseInt(number, 10, 64)
	return n << shift, err
}

// files are those of the ConfigMaps and Secrets that a container mounts, by path.
func (m *manifests) files(t *testing.T, w workload, c corev1.Container) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, mount := range c.VolumeMounts {
		for _, volume := range w.template.Spec.Volumes {
			if volume.Name != mount.Name {
				continue
			}
			for name, content := range m.content(t, w, volume) {
				all[path.Join(mount.MountPath, name)] = content
			}
		}
	}
	return all
}

// content of a volume, where it is of this deployment.
func (m *manifests) content(t *testing.T, w workload, volume corev1.Volume) map[string]string {
	t.Helper()
	if volume.ConfigMap != nil {
		for _, object := range m.configMaps {
			if object.Name == volume.ConfigMap.Name && object.Namespace == w.namespace {
				return object.Data
			}
		}
		assert.Contains(t, m.external, volume.ConfigMap.Name, "volume %s", volume.Name)
	}
	if volume.Secret != nil {
		for _, object := range m.secrets {
			if object.Name == volume.Secret.SecretName && object.Namespace == w.namespace {
				return object.StringData
			}
		}
		assert.Contains(t, m.external, volume.Secret.SecretName, "volume %s", volume.Name)
	}
	return nil
}

// configurations are the files that the container's arguments name, in their order.
func (m *manifests) configurations(t *testing.T, w workload, c corev1.Container) []string {
	t.Helper()
	files := m.files(t, w, c)
	var texts []string
	for _, arg := range c.Args {
		file, found := strings.CutPrefix(arg, "--config=")
		require.True(t, found, "argument %s", arg)
		require.Contains(t, files, file, "what %s mounts", w.name)
		texts = append(texts, files[file])
	}
	require.NotEmpty(t, texts)
	return texts
}

var (
	comment  = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	variable = regexp.MustCompile(`\$\{env:([A-Z0-9_]+)`)
)

// Every variable that a configuration reads is set, and every one that is set is read by somebody.
func checkEnvironment(t *testing.T, m *manifests, w workload, c corev1.Container) {
	env := environment(c)
	read := map[string]bool{"GOMEMLIMIT": true, "OTEL_RESOURCE_ATTRIBUTES": true, "CLUSTER": true}
	for _, text := range m.configurations(t, w, c) {
		for _, found := range variable.FindAllStringSubmatch(comment.ReplaceAllString(text, ""), -1) {
			assert.Contains(t, env, found[1], "%s reads it", w.name)
			read[found[1]] = true
		}
	}
	for _, v := range c.Env {
		inAnother := strings.Contains(fmt.Sprint(c.Env), "$("+v.Name+")")
		assert.True(t, read[v.Name] || inAnother, "nobody reads %s", v.Name)
	}
}

// The collector takes the configurations as they are mounted, with the environment that is set.
func checkConfigurations(t *testing.T, m *manifests, w workload, c corev1.Container) {
	collector := tool(t, "OTELCOL_BINARY")
	dir := t.TempDir()
	for name, content := range m.files(t, w, c) {
		file := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o750))
		// The configurations name mounted files, such as certificates, by their paths.
		content = strings.ReplaceAll(content, "/etc/quantivista/", filepath.Join(dir, "etc", "quantivista")+"/")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
	}
	args := []string{"env", "-i", "-C", dir}
	for name, value := range environment(c) {
		switch {
		case name == "KUBELET_AUTH":
			value = "none" // The token and the certificate of a service account are in a cluster only.
		case name == "HOST_ROOT":
			value = "/"
		case strings.HasPrefix(value, "/"):
			value = filepath.Join(dir, value)
		}
		args = append(args, name+"="+value)
	}
	args = append(args, collector, "validate")
	for _, arg := range c.Args {
		args = append(args, strings.Replace(arg, "--config=", "--config="+dir, 1))
	}
	_, errors, err := run(args[0], args[1:]...)
	assert.NoError(t, err, errors)

	if glob, found := environment(c)["RULE_FILES"]; found && len(m.files(t, w, c)) > 3 {
		matches, err := filepath.Glob(filepath.Join(dir, glob))
		require.NoError(t, err)
		assert.NotEmpty(t, matches, "rule files")
	}
}
