//! The shape of a zone: GeoJSON in WGS 84, its rules, and which of two shapes share ground. No I/O in this file.
//!
//! Edges are straight on the map, as GeoJSON has them. A shape covers its border, so zones that touch share the
//! points of the border and no ground.

use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{
    BoundingRect, Coord, CoordsIter, Intersects, Line, LineString, MultiPolygon, Point, Polygon,
    Relate,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Vertices of all rings of a shape; the border of a large city has a few thousand.
pub const MAX_VERTICES: usize = 10_000;
/// Bytes of GeoJSON: so many vertices with 15 digits each, and room.
const MAX_TEXT: usize = 600_000;

/// A checked shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape(MultiPolygon<f64>);

/// West, south, east, north.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    pub west: f64,
    pub south: f64,
    pub east: f64,
    pub north: f64,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("geometry must be GeoJSON of the type Polygon or MultiPolygon")]
    NotGeoJson,
    #[error("a geometry has 1 to {MAX_VERTICES} vertices")]
    TooLarge,
    #[error("a ring has four positions at least, and the last one is the first one again")]
    OpenRing,
    #[error("a position is [longitude, latitude], within -180..180 and -90..90")]
    OffEarth,
    #[error("a ring has no area")]
    Flat,
    #[error(
        "a ring is wider than 180 degrees: cut the geometry at the antimeridian (RFC 7946, 3.1.9)"
    )]
    AcrossAntimeridian,
    #[error("the rings of a geometry cross or lie on each other")]
    Crossing,
    #[error("a hole must lie inside its polygon and outside of its other holes")]
    StrayHole,
    #[error("the polygons of a geometry must not overlap")]
    Overlapping,
}

#[derive(Deserialize, Serialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Vec<Vec<f64>>>),
    MultiPolygon(Vec<Vec<Vec<Vec<f64>>>>),
}

impl Shape {
    /// The shape that GeoJSON describes, or the first rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.len() > MAX_TEXT {
            return Err(Fault::TooLarge);
        }
        let geometry: Geometry = serde_json::from_str(text).map_err(|_| Fault::NotGeoJson)?;
        let polygons = match geometry {
            Geometry::Polygon(rings) => vec![rings],
            Geometry::MultiPolygon(polygons) => polygons,
        };
        let vertices: usize = polygons.iter().flatten().map(Vec::len).sum();
        if vertices == 0 || vertices > MAX_VERTICES {
            return Err(Fault::TooLarge);
        }
        let polygons = polygons.iter().map(|it| polygon(it));
        let shape = Self(MultiPolygon::new(polygons.collect::<Result<_, _>>()?));
        shape.check()?;
        Ok(shape)
    }

    /// A shape that was checked before it was stored.
    pub fn stored(text: &str) -> Option<Self> {
        let Ok(Geometry::MultiPolygon(polygons)) = serde_json::from_str(text) else {
            return None;
        };
        let polygons = polygons.iter().map(|it| polygon(it));
        Some(Self(MultiPolygon::new(
            polygons.collect::<Result<_, _>>().ok()?,
        )))
    }

    /// As a GeoJSON MultiPolygon.
    pub fn text(&self) -> String {
        let ring = |it: &LineString<f64>| it.coords().map(|it| json!([it.x, it.y])).collect();
        let polygon = |it: &Polygon<f64>| {
            let rings = std::iter::once(it.exterior()).chain(it.interiors());
            rings.map(ring).collect::<Vec<serde_json::Value>>()
        };
        let polygons: Vec<_> = self.0.iter().map(polygon).collect();
        json!({ "type": "MultiPolygon", "coordinates": polygons }).to_string()
    }

    pub fn bounds(&self) -> Bounds {
        let whole = self.0.bounding_rect();
        let (low, high) = whole.map_or_else(Default::default, |it| (it.min(), it.max()));
        Bounds {
            west: low.x,
            south: low.y,
            east: high.x,
            north: high.y,
        }
    }

    /// Whether a place is inside, or on the border.
    pub fn covers(&self, latitude: f64, longitude: f64) -> bool {
        self.0.intersects(&Point::new(longitude, latitude))
    }

    /// Whether both cover the same ground somewhere. A common border is none.
    pub fn overlaps(&self, other: &Self) -> bool {
        is_shared(&self.0, &other.0)
    }

    fn check(&self) -> Result<(), Fault> {
        check_lines(&self.0)?;
        for polygon in &self.0 {
            let shell = Polygon::new(polygon.exterior().clone(), vec![]);
            let holes = polygon.interiors().iter();
            let holes: Vec<_> = holes.map(|it| Polygon::new(it.clone(), vec![])).collect();
            let is_stray = |hole: &Polygon<f64>| !shell.relate(hole).is_covers();
            if holes.iter().any(is_stray) || are_any_shared(&holes) {
                return Err(Fault::StrayHole);
            }
        }
        if are_any_shared(&self.0.0) {
            return Err(Fault::Overlapping);
        }
        Ok(())
    }
}

/// Whether the insides of two shapes have a point in common.
fn is_shared<G: Relate<f64>>(a: &G, b: &G) -> bool {
    let matrix = a.relate(b);
    matrix.matches("T********").unwrap_or_default()
}

/// Whether any two of the polygons share ground.
fn are_any_shared(polygons: &[Polygon<f64>]) -> bool {
    let boxed: Vec<_> = polygons
        .iter()
        .filter_map(|it| Some((it, it.bounding_rect()?)))
        .collect();
    boxed.iter().enumerate().any(|(at, (a, a_box))| {
        let others = boxed.iter().skip(at + 1);
        others
            .filter(|(_, b_box)| a_box.intersects(b_box))
            .any(|(b, _)| is_shared(*a, *b))
    })
}

fn polygon(rings: &[Vec<Vec<f64>>]) -> Result<Polygon<f64>, Fault> {
    let mut rings = rings.iter().map(|it| ring(it));
    let shell = rings.next().ok_or(Fault::OpenRing)??;
    Ok(Polygon::new(shell, rings.collect::<Result<_, _>>()?))
}

fn ring(positions: &[Vec<f64>]) -> Result<LineString<f64>, Fault> {
    let mut ring: Vec<Coord<f64>> = Vec::with_capacity(positions.len());
    for position in positions {
        // A third number is the height, which a map does not have.
        let &[x, y] = position.get(..2).ok_or(Fault::OffEarth)? else {
            return Err(Fault::OffEarth);
        };
        if !(-180.0..=180.0).contains(&x) || !(-90.0..=90.0).contains(&y) {
            return Err(Fault::OffEarth);
        }
        let next = Coord { x, y };
        // The same position twice in a row is one position.
        if ring.last() != Some(&next) {
            ring.push(next);
        }
    }
    if positions.len() < 4 || ring.first() != ring.last() {
        return Err(Fault::OpenRing);
    }
    if ring.len() < 4 {
        return Err(Fault::Flat);
    }
    let ring = LineString::new(ring);
    let width = ring.bounding_rect().map_or(0.0, |it| it.width());
    if width > 180.0 {
        return Err(Fault::AcrossAntimeridian);
    }
    Ok(ring)
}

/// A side of a ring.
struct Side {
    line: Line<f64>,
    ring: usize,
    at: usize,
    /// Sides of its ring.
    of: usize,
}

impl Side {
    fn low(&self) -> f64 {
        self.line.start.x.min(self.line.end.x)
    }

    fn high(&self) -> f64 {
        self.line.start.x.max(self.line.end.x)
    }

    /// Whether they follow each other on one ring.
    fn is_next_to(&self, other: &Self) -> bool {
        let apart = self.at.abs_diff(other.at);
        self.ring == other.ring && (apart == 1 || apart + 1 == self.of)
    }
}

/// No ring touches itself, and rings touch each other in single points only. From west to east, each side is compared
/// with the sides that begin before it ends.
fn check_lines(shape: &MultiPolygon<f64>) -> Result<(), Fault> {
    let rings = shape
        .iter()
        .flat_map(|it| std::iter::once(it.exterior()).chain(it.interiors()));
    let mut sides: Vec<Side> = Vec::with_capacity(shape.coords_count());
    for (ring, line) in rings.enumerate() {
        let of = line.lines().count();
        let lines = line.lines().enumerate();
        sides.extend(lines.map(|(at, line)| Side { line, ring, at, of }));
    }
    sides.sort_by(|a, b| a.low().total_cmp(&b.low()));
    for (at, side) in sides.iter().enumerate() {
        let (bottom, top) = heights(side.line);
        let others = sides.iter().skip(at + 1);
        for other in others.take_while(|it| it.low() <= side.high()) {
            let (other_bottom, other_top) = heights(other.line);
            if other_bottom > top || other_top < bottom {
                continue;
            }
            match line_intersection(side.line, other.line) {
                None => {}
                // A spike goes back on itself.
                Some(LineIntersection::Collinear { .. }) => return Err(Fault::Crossing),
                Some(LineIntersection::SinglePoint { is_proper, .. }) => {
                    let may_touch = side.ring != other.ring || side.is_next_to(other);
                    if is_proper || !may_touch {
                        return Err(Fault::Crossing);
                    }
                }
            }
        }
    }
    Ok(())
}

fn heights(line: Line<f64>) -> (f64, f64) {
    (line.start.y.min(line.end.y), line.start.y.max(line.end.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon_of(rings: &str) -> String {
        format!(r#"{{"type":"Polygon","coordinates":[{rings}]}}"#)
    }

    fn square(west: f64, south: f64, size: f64) -> String {
        let (east, north) = (west + size, south + size);
        format!(
            "[[{west},{south}],[{east},{south}],[{east},{north}],[{west},{north}],[{west},{south}]]"
        )
    }

    fn shape(rings: &str) -> Shape {
        Shape::parse(&polygon_of(rings)).unwrap()
    }

    fn fault(text: &str) -> Fault {
        Shape::parse(text).unwrap_err()
    }

    #[test]
    fn a_hole_is_not_covered_and_its_border_is() {
        let ring = shape(&format!(
            "{},{}",
            square(0.0, 0.0, 10.0),
            square(4.0, 4.0, 2.0)
        ));
        assert!(ring.covers(1.0, 1.0) && ring.covers(4.0, 5.0) && ring.covers(0.0, 0.0));
        assert!(!ring.covers(5.0, 5.0) && !ring.covers(-0.1, 5.0));
    }

    #[test]
    fn a_zone_fits_into_the_hole_of_another() {
        let ring = shape(&format!(
            "{},{}",
            square(0.0, 0.0, 10.0),
            square(4.0, 4.0, 2.0)
        ));
        assert!(!ring.overlaps(&shape(&square(4.0, 4.0, 2.0))));
        assert!(!ring.overlaps(&shape(&square(4.5, 4.5, 1.0))));
        assert!(ring.overlaps(&shape(&square(4.5, 4.5, 2.0))));
        assert!(ring.overlaps(&shape(&square(1.0, 1.0, 1.0))));
    }

    #[test]
    fn neighbours_share_a_border_and_no_ground() {
        let middle = shape(&square(0.0, 0.0, 1.0));
        for (west, south) in [
            (1.0, 0.0),
            (0.0, 1.0),
            (1.0, 1.0),
            (-1.0, -1.0),
            (-1.0, 0.5),
        ] {
            assert!(
                !middle.overlaps(&shape(&square(west, south, 1.0))),
                "{west} {south}"
            );
        }
        assert!(middle.overlaps(&shape(&square(0.999_999, 0.0, 1.0))));
        assert!(middle.overlaps(&middle));
    }

    #[test]
    fn a_shape_is_cut_at_the_antimeridian() {
        assert_eq!(
            fault(&polygon_of("[[179,0],[-179,0],[-179,1],[179,1],[179,0]]")),
            Fault::AcrossAntimeridian
        );
        let cut = format!(
            r#"{{"type":"MultiPolygon","coordinates":[[{}],[{}]]}}"#,
            square(179.0, 0.0, 1.0),
            square(-180.0, 0.0, 1.0)
        );
        let cut = Shape::parse(&cut).unwrap();
        assert!(cut.covers(0.5, 179.5) && cut.covers(0.5, -179.5) && !cut.covers(0.5, 0.0));
        assert_eq!(Shape::stored(&cut.text()), Some(cut));
    }

    #[test]
    fn an_invalid_ring_is_refused() {
        for (rings, expected) in [
            ("[[0,0],[1,0],[1,1],[0,1]]", Fault::OpenRing),
            ("[[0,0],[1,0],[0,0]]", Fault::OpenRing),
            ("[[0,0],[1,1],[1,0],[0,1],[0,0]]", Fault::Crossing),
            ("[[0,0],[2,0],[1,0],[1,1],[0,0]]", Fault::Crossing),
            ("[[0,0],[1,0],[2,0],[0,0]]", Fault::Crossing),
            ("[[0,0],[0,0],[0,0],[0,0]]", Fault::Flat),
            ("[[0,0],[181,0],[1,1],[0,0]]", Fault::OffEarth),
            ("[[0,0],[1],[1,1],[0,0]]", Fault::OffEarth),
            // A figure of eight that touches itself in one vertex.
            (
                "[[0,0],[2,0],[1,1],[2,2],[0,2],[1,1],[0,0]]",
                Fault::Crossing,
            ),
        ] {
            assert_eq!(fault(&polygon_of(rings)), expected, "{rings}");
        }
        let outside = format!("{},{}", square(0.0, 0.0, 1.0), square(5.0, 5.0, 1.0));
        assert_eq!(fault(&polygon_of(&outside)), Fault::StrayHole);
        let across = format!("{},{}", square(0.0, 0.0, 2.0), square(1.0, 1.0, 2.0));
        assert_eq!(fault(&polygon_of(&across)), Fault::Crossing);
        let nested = format!(
            "{},{},{}",
            square(0.0, 0.0, 9.0),
            square(1.0, 1.0, 5.0),
            square(2.0, 2.0, 1.0)
        );
        assert_eq!(fault(&polygon_of(&nested)), Fault::StrayHole);
        for text in ["", "{}", "[]", r#"{"type":"Point","coordinates":[0,0]}"#] {
            assert_eq!(fault(text), Fault::NotGeoJson, "{text}");
        }
        assert_eq!(fault(&polygon_of("")), Fault::TooLarge);
    }

    #[test]
    fn polygons_of_one_shape_do_not_overlap() {
        let both = |other: String| {
            let first = square(0.0, 0.0, 4.0);
            format!(r#"{{"type":"MultiPolygon","coordinates":[[{first}],[{other}]]}}"#)
        };
        assert!(Shape::parse(&both(square(5.0, 0.0, 1.0))).is_ok());
        assert_eq!(fault(&both(square(1.0, 1.0, 1.0))), Fault::Overlapping);
        assert_eq!(fault(&both(square(3.0, 3.0, 4.0))), Fault::Crossing);
    }

    #[test]
    fn a_border_of_ten_thousand_vertices_is_checked() {
        let circle = |count: u32, radius: f64| {
            let at = |it: u32| {
                let angle = f64::from(it % count) / f64::from(count) * std::f64::consts::TAU;
                format!("[{},{}]", radius * angle.cos(), radius * angle.sin())
            };
            let positions: Vec<_> = (0..=count).map(at).collect();
            format!("[{}]", positions.join(","))
        };
        let large = shape(&circle(9_999, 1.0));
        assert!(large.covers(0.7, 0.7) && !large.covers(0.8, 0.8));
        assert!(large.overlaps(&shape(&circle(100, 0.1))));
        assert_eq!(fault(&polygon_of(&circle(10_000, 1.0))), Fault::TooLarge);
    }
}
