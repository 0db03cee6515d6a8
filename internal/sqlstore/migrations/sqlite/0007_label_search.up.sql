-- Nothing: SQLite searches the labels of one alert after another.
SELECT 1;
