-- Tickets of several cars. A ticket has its first plate itself; the others stand here.
ALTER TABLE ticket ADD COLUMN plate_count int NOT NULL DEFAULT 1
    CONSTRAINT ticket_plates_in_bounds CHECK (plate_count BETWEEN 1 AND 20);

CREATE TABLE ticket_plate (
    ticket_id bigint NOT NULL REFERENCES ticket (id),
    -- In the order in which the buyer named them.
    nth int NOT NULL CONSTRAINT ticket_plate_in_bounds CHECK (nth BETWEEN 2 AND 20),
    plate text NOT NULL REFERENCES car (plate),
    PRIMARY KEY (ticket_id, plate)
);

CREATE INDEX ticket_plate_by_plate ON ticket_plate (plate, ticket_id);
