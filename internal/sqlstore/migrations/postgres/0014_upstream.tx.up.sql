-- The services from that of the alert to that of the incident, each of which calls the next, where the alert joined by that.
ALTER TABLE incident_alerts ADD COLUMN path TEXT[];
