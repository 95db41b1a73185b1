-- What drivers still owe for leaving late is listed by pages.
CREATE INDEX booking_owing ON booking (id) WHERE overstay_paid < overstay_cost;
