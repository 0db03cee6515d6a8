package alert

// Change is what reports did to one stored alert.
type Change struct {
	// Before is the alert as it was; nil where it is new.
	Before *Record
	After  Record
}

// Fired says that the alert began to fire, for the first time or anew.
func (c *Change) Fired() bool {
	return c.After.Status == Firing && (c.Before == nil || c.Before.Status != Firing || c.Flapped())
}

// Resolved says that the alert ended. One that is new and has ended already did both.
func (c *Change) Resolved() bool {
	return c.After.Status == Resolved && (c.Before == nil || c.Before.Status != Resolved)
}

// Flapped says that the alert fired again, whatever it does now.
func (c *Change) Flapped() bool { return c.Before != nil && c.After.Flaps() > c.Before.Flaps() }

// Worsened says that the alert's severity rose.
func (c *Change) Worsened() bool { return c.Before != nil && c.After.Severity.Worse(c.Before.Severity) }
