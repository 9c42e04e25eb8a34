package dev.tidestream.server.chat.jinja.value;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/**
 * Python's format specification: {@code [[fill]align][sign][#][0][width][,][.precision][type]}.
 *
 * @param fill one code point
 * @param align {@code < > ^ =}, or 0 for that of the type
 * @param sign {@code + -} or a blank
 * @param alternate whether {@code 0x} and its kin are written
 * @param width least width, in code points
 * @param grouping {@code ,} or {@code _} between thousands, or empty
 * @param precision digits, or -1
 * @param type the letter, or 0
 */
record FormatSpec(String fill, char align, char sign, boolean alternate, int width, String grouping, int precision, char type) {
    private static final Pattern SYNTAX = Pattern.compile(
            "(?:(.)?([<>^=]))??([-+ ])?(#)?(0)?(\\d{1,6})?([,_])?(?:\\.(\\d{1,4}))?([a-zA-Z%])?", Pattern.DOTALL);

    static FormatSpec parse(String text) {
        Matcher matcher = SYNTAX.matcher(text);
        if (!matcher.matches()) {
            throw TemplateException.runtime("Invalid format specifier '" + text + "'");
        }
        boolean zero = matcher.group(5) != null;
        return new FormatSpec(
                matcher.group(1) != null ? matcher.group(1) : zero ? "0" : " ",
                matcher.group(2) != null ? matcher.group(2).charAt(0) : zero ? '=' : 0,
                matcher.group(3) != null ? matcher.group(3).charAt(0) : '-',
                matcher.group(4) != null,
                matcher.group(6) != null ? Integer.parseInt(matcher.group(6)) : 0,
                matcher.group(7) != null ? matcher.group(7) : "",
                matcher.group(8) != null ? Integer.parseInt(matcher.group(8)) : -1,
                matcher.group(9) != null ? matcher.group(9).charAt(0) : 0);
    }

    Text format(Value value, Budget budget) {
        BigInteger integer = Values.asInteger(value);
        if (value instanceof Text || (integer == null && !(value instanceof Value.Real))) {
            return text(Printing.text(value, budget), budget);
        }
        if (integer != null && (type == 0 || "bcdnoxX".indexOf(type) >= 0)) {
            return integer(integer, budget);
        }
        Double real = Values.asReal(value);
        if (real == null || (type != 0 && "eEfFgG%n".indexOf(type) < 0)) {
            throw unknown(value);
        }
        boolean negative = real < 0 || (real == 0 && 1 / real < 0);
        return number(negative, "", grouped(real(Math.abs(real))), budget);
    }

    private TemplateException unknown(Value value) {
        return TemplateException.runtime("Unknown format code '" + type + "' for object of type '" + Values.typeName(value) + "'");
    }

    private Text text(Text text, Budget budget) {
        if ((type != 0 && type != 's') || (align == '=' && width > 0 && !fill.equals("0"))) {
            throw unknown(text);
        }
        Text cut = precision >= 0 && precision < text.codePoints() ? text.sub(0, text.offset(precision)) : text;
        return pad(cut, align == 0 || align == '=' ? '<' : align, budget);
    }

    private Text pad(Text text, char where, Budget budget) {
        return Texts.pad(text, width, Text.of(fill), missing -> where == '<' ? 0 : where == '>' ? missing : missing / 2, budget);
    }

    private Text integer(BigInteger value, Budget budget) {
        if (precision >= 0) {
            throw TemplateException.runtime("Precision not allowed in integer format specifier");
        }
        BigInteger size = value.abs();
        return switch (type) {
            case 'b' -> number(value.signum() < 0, alternate ? "0b" : "", size.toString(2), budget);
            case 'o' -> number(value.signum() < 0, alternate ? "0o" : "", size.toString(8), budget);
            case 'x' -> number(value.signum() < 0, alternate ? "0x" : "", size.toString(16), budget);
            case 'X' -> number(value.signum() < 0, alternate ? "0X" : "", size.toString(16).toUpperCase(Locale.ROOT), budget);
            case 'c' -> {
                int c = Values.clamp(value);
                if (!Character.isValidCodePoint(c)) {
                    throw TemplateException.runtime("%c arg not in range(0x110000)");
                }
                yield pad(Text.of(Character.toString(c)), align == 0 || align == '=' ? '<' : align, budget);
            }
            default -> number(value.signum() < 0, "", grouped(size.toString()), budget);
        };
    }

    private Text number(boolean negative, String prefix, String digits, Budget budget) {
        String mark = (negative ? "-" : sign == '-' ? "" : String.valueOf(sign)) + prefix;
        if (align == '=') {
            Text padded = Texts.pad(Text.of(digits), Math.max(0, width - mark.length()), Text.of(fill), missing -> missing, budget);
            return new TextBuilder(budget).append(mark).append(padded).build();
        }
        return pad(Text.of(mark + digits), align == 0 ? '>' : align, budget);
    }

    private String grouped(String digits) {
        if (grouping.isEmpty()) {
            return digits;
        }
        int end = 0;
        while (end < digits.length() && Character.isDigit(digits.charAt(end))) {
            end++;
        }
        StringBuilder out = new StringBuilder(digits);
        for (int i = end - 3; i > 0; i -= 3) {
            out.insert(i, grouping);
        }
        return out.toString();
    }

    private String real(double value) {
        if (!Double.isFinite(value)) {
            String name = Double.isNaN(value) ? "nan" : "inf";
            return Character.isUpperCase(type) ? name.toUpperCase(Locale.ROOT) : name;
        }
        int digits = precision < 0 ? 6 : precision;
        return switch (type) {
            case 'f', 'F' -> new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
            case '%' -> new BigDecimal(value * 100).setScale(digits, RoundingMode.HALF_EVEN).toPlainString() + "%";
            case 'e' -> exponent(value, digits);
            case 'E' -> exponent(value, digits).toUpperCase(Locale.ROOT);
            case 'G' -> general(value, Math.max(1, digits), false).toUpperCase(Locale.ROOT);
            case 0 -> precision < 0 ? Printing.real(value) : general(value, Math.max(1, digits), true);
            default -> general(value, Math.max(1, digits), false);
        };
    }

    private static String exponent(double value, int digits) {
        BigDecimal rounded = value == 0 ? BigDecimal.ZERO : new BigDecimal(value).round(new MathContext(digits + 1, RoundingMode.HALF_EVEN));
        int exponent = value == 0 ? 0 : rounded.precision() - 1 - rounded.scale();
        String mantissa = rounded.scaleByPowerOfTen(-exponent).setScale(digits, RoundingMode.UNNECESSARY).toPlainString();
        int size = Math.abs(exponent);
        return mantissa + "e" + (exponent < 0 ? "-" : "+") + (size < 10 ? "0" : "") + size;
    }

    /** {@code fraction}: as a float without a type, that always shows that it is one. */
    private static String general(double value, int digits, boolean fraction) {
        BigDecimal rounded = value == 0 ? BigDecimal.ZERO : new BigDecimal(value).round(new MathContext(digits, RoundingMode.HALF_EVEN));
        int exponent = value == 0 ? 0 : rounded.precision() - 1 - rounded.scale();
        if (exponent < -4 || exponent >= digits) {
            String text = exponent(value, digits - 1);
            int at = text.indexOf('e');
            String mantissa = text.substring(0, at);
            return (mantissa.indexOf('.') < 0 ? mantissa : mantissa.replaceAll("\\.?0+$", "")) + text.substring(at);
        }
        String plain = rounded.signum() == 0 ? "0" : rounded.stripTrailingZeros().toPlainString();
        return plain.indexOf('.') < 0 && fraction ? plain + ".0" : plain;
    }
}
