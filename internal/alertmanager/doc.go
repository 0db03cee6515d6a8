// Package alertmanager is the port to an Alertmanager: what it offers to everybody else. It knows neither Alertmanager's
// own types nor any collector component.
package alertmanager
