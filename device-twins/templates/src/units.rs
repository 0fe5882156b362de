//! The units of DTDL version 2, in UCUM.

/// The UCUM code of a unit that DTDL names (DTDL version 2, "Semantic types" and their units); none for any
/// other name. Units that are UCUM by accident are none either: models in the field say `mg` and mean
/// thousandths of standard gravity. A template names UCUM units with the `ucum` annotation.
#[rustfmt::skip]
pub(crate) fn ucum_of(dtdl_unit: &str) -> Option<&'static str> {
    Some(match dtdl_unit {
        // Acceleration, angle, angular velocity and acceleration
        "metrePerSecondSquared" => "m/s2", "centimetrePerSecondSquared" => "cm/s2", "gForce" => "[g]",
        "radian" => "rad", "degreeOfArc" => "deg", "minuteOfArc" => "'", "secondOfArc" => "''", "turn" => "circ",
        "radianPerSecond" => "rad/s", "degreePerSecond" => "deg/s", "revolutionPerSecond" => "circ/s",
        "revolutionPerMinute" => "circ/min", "radianPerSecondSquared" => "rad/s2",
        // Area, length, volume
        "squareMetre" => "m2", "squareCentimetre" => "cm2", "squareMillimetre" => "mm2", "squareKilometre" => "km2",
        "hectare" => "har", "squareFoot" => "[sft_i]", "squareInch" => "[sin_i]", "acre" => "[acr_us]",
        "metre" => "m", "centimetre" => "cm", "millimetre" => "mm", "micrometre" => "um", "nanometre" => "nm",
        "kilometre" => "km", "foot" => "[ft_i]", "inch" => "[in_i]", "mile" => "[mi_i]", "nauticalMile" => "[nmi_i]",
        "astronomicalUnit" => "AU",
        "cubicMetre" => "m3", "cubicCentimetre" => "cm3", "litre" => "L", "millilitre" => "mL", "cubicFoot" => "[cft_i]",
        "cubicInch" => "[cin_i]", "fluidOunce" => "[foz_us]", "gallon" => "[gal_us]",
        // Velocity, frequency, time
        "metrePerSecond" => "m/s", "centimetrePerSecond" => "cm/s", "kilometrePerSecond" => "km/s",
        "metrePerHour" => "m/h", "kilometrePerHour" => "km/h", "milePerHour" => "[mi_i]/h",
        "milePerSecond" => "[mi_i]/s", "knot" => "[kn_i]",
        "hertz" => "Hz", "kilohertz" => "kHz", "megahertz" => "MHz", "gigahertz" => "GHz",
        "second" => "s", "millisecond" => "ms", "microsecond" => "us", "nanosecond" => "ns", "minute" => "min",
        "hour" => "h", "day" => "d", "year" => "a",
        // Data
        "bit" => "bit", "kibibit" => "Kibit", "mebibit" => "Mibit", "gibibit" => "Gibit", "tebibit" => "Tibit",
        "byte" => "By", "kibibyte" => "KiBy", "mebibyte" => "MiBy", "gibibyte" => "GiBy", "tebibyte" => "TiBy",
        "bitPerSecond" => "bit/s", "kibibitPerSecond" => "Kibit/s", "mebibitPerSecond" => "Mibit/s",
        "gibibitPerSecond" => "Gibit/s", "bytePerSecond" => "By/s", "kibibytePerSecond" => "KiBy/s",
        "mebibytePerSecond" => "MiBy/s", "gibibytePerSecond" => "GiBy/s",
        // Mass, force, density, pressure, torque
        "kilogram" => "kg", "gram" => "g", "milligram" => "mg", "microgram" => "ug", "tonne" => "t", "slug" => "[lbf_av].s2/[ft_i]",
        "newton" => "N", "pound" => "[lbf_av]", "ounce" => "[lbf_av]/16", "ton" => "2000.[lbf_av]",
        "kilogramPerCubicMetre" => "kg/m3", "gramPerCubicMetre" => "g/m3",
        "pascal" => "Pa", "kilopascal" => "kPa", "bar" => "bar", "millibar" => "mbar", "poundPerSquareInch" => "[psi]",
        "inchesOfMercury" => "[in_i'Hg]", "inchesOfWater" => "[in_i'H2O]", "millimetresOfMercury" => "mm[Hg]",
        "newtonMetre" => "N.m",
        // Energy, power
        "joule" => "J", "kilojoule" => "kJ", "megajoule" => "MJ", "gigajoule" => "GJ", "electronvolt" => "eV",
        "megaelectronvolt" => "MeV", "kilowattHour" => "kW.h", "watt" => "W", "microwatt" => "uW", "milliwatt" => "mW",
        "kilowatt" => "kW", "megawatt" => "MW", "gigawatt" => "GW", "horsepower" => "[HP]", "kilowattHourPerYear" => "kW.h/a",
        // Electricity and magnetism
        "ampere" => "A", "microampere" => "uA", "milliampere" => "mA", "volt" => "V", "millivolt" => "mV",
        "microvolt" => "uV", "kilovolt" => "kV", "megavolt" => "MV", "coulomb" => "C", "farad" => "F",
        "millifarad" => "mF", "microfarad" => "uF", "nanofarad" => "nF", "picofarad" => "pF", "henry" => "H",
        "millihenry" => "mH", "microhenry" => "uH", "ohm" => "Ohm", "milliohm" => "mOhm", "kiloohm" => "kOhm",
        "megaohm" => "MOhm", "weber" => "Wb", "maxwell" => "Mx", "tesla" => "T",
        // Light, temperature, ratios, sound
        "lux" => "lx", "footcandle" => "lm/[sft_i]", "candela" => "cd", "lumen" => "lm", "candelaPerSquareMetre" => "cd/m2",
        "wattPerSquareMetre" => "W/m2", "microwattPerSquareMetre" => "uW/m2", "milliwattPerSquareMetre" => "mW/m2",
        "kelvin" => "K", "degreeCelsius" => "Cel", "degreeFahrenheit" => "[degF]",
        "unity" => "1", "percent" => "%", "decibel" => "dB", "bel" => "B",
        "gramPerHour" => "g/h", "gramPerSecond" => "g/s", "kilogramPerHour" => "kg/h", "kilogramPerSecond" => "kg/s",
        "litrePerSecond" => "L/s", "millilitrePerSecond" => "mL/s", "litrePerHour" => "L/h", "millilitrePerHour" => "mL/h",
        "jouleSecond" => "J.s",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use readings::Unit;

    #[test]
    fn the_table_holds_ucum_only() {
        // The arms are data; read them back from this file, so that none is forgotten here.
        let arms = include_str!("units.rs")
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .split('"')
            .collect::<Vec<_>>();
        let names = arms.windows(3).filter(|arm| arm[1].trim() == "=>").map(|arm| arm[0]);
        let mut count = 0;
        for name in names.filter(|name| *name != " ") {
            let code = ucum_of(name).unwrap_or_else(|| panic!("{name} is not in the table"));
            assert!(Unit::parse(code).is_ok(), "{name} is {code}, which is not UCUM");
            count += 1;
        }
        assert!(count > 120, "only {count} units were found in this file");
    }

    #[test]
    fn what_dtdl_does_not_name_is_none() {
        for unit in ["mg", "hPa", "Degrees C", "Cel", "mm[Hg]", "", "Percent"] {
            assert_eq!(ucum_of(unit), None, "{unit:?}");
        }
    }
}
