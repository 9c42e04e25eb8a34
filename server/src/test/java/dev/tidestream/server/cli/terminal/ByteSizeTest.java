package dev.tidestream.server.cli.terminal;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({"0,0", "4096,4096", "7B,7", "2GiB,2147483648", "512 mib,536870912", "1.5KiB,1536", "1K,1024", "2g,2147483648",
        "1kB,1000", "2GB,2000000000", "1TiB,1099511627776"})
    void shouldReadSizes(String text, long bytes) {
        assertEquals(bytes, ByteSize.parse(text).bytes());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "GiB", "2GiBs", "two", "1e3", "0x10", "1.GiB", "9999999999TiB"})
    void shouldRefuseOthers(String text) {
        assertThrows(IllegalArgumentException.class, () -> ByteSize.parse(text));
    }

    @Test
    void shouldPrintTheLargestUnit() {
        assertEquals("1023 bytes", new ByteSize(1023).toString());
        assertEquals("1.0 KiB", new ByteSize(1024).toString());
        assertEquals("6.0 MiB", new ByteSize(6_273_824).toString());
    }
}
