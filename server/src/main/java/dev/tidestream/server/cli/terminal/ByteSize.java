package dev.tidestream.server.cli.terminal;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import picocli.CommandLine;

/**
 * A size as people write it: {@code 2GiB}, {@code 512MiB}, {@code 1.5GB}, {@code 4096}. {@code KiB}, {@code MiB}, … (and
 * {@code K}, {@code M}, …) are powers of 1024; {@code kB}, {@code MB}, … of 1000; case does not matter.
 *
 * @param bytes 0 or more
 */
public record ByteSize(long bytes) {
    private static final Pattern FORMAT =
            Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*(?:([KMGT])(i?B)?|B)?", Pattern.CASE_INSENSITIVE);
    private static final List<String> UNITS = List.of("bytes", "KiB", "MiB", "GiB", "TiB");

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("size must not be negative: bytes=" + bytes);
        }
    }

    /** @throws IllegalArgumentException if the text is no size, or more than 2^63 - 1 bytes */
    static ByteSize parse(String text) {
        Matcher matcher = FORMAT.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'%s' is no size: write 2GiB, 512MiB or a number of bytes".formatted(text));
        }
        String prefix = matcher.group(2);
        long unit = 1;
        if (prefix != null) {
            long base = "B".equalsIgnoreCase(matcher.group(3)) ? 1000 : 1024;
            for (int i = 0; i <= "KMGT".indexOf(prefix.toUpperCase(Locale.ROOT)); i++) {
                unit *= base;
            }
        }
        BigDecimal bytes = new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(unit));
        if (bytes.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) > 0) {
            throw new IllegalArgumentException("'%s' is too large a size".formatted(text));
        }
        return new ByteSize(bytes.longValue());
    }

    /** In the largest unit that leaves at least 1, e.g. {@code 6.0 MiB}. */
    @Override
    public String toString() {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < UNITS.size() - 1) {
            value /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " bytes" : String.format(Locale.ROOT, "%.1f %s", value, UNITS.get(unit));
    }

    /** For picocli. */
    public static final class Converter implements CommandLine.ITypeConverter<ByteSize> {
        @Override
        public ByteSize convert(String text) {
            try {
                return parse(text);
            } catch (IllegalArgumentException e) {
                throw new CommandLine.TypeConversionException(String.valueOf(e.getMessage()));
            }
        }
    }
}
