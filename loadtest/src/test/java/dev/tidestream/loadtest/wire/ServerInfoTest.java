package dev.tidestream.loadtest.wire;

import java.util.Map;

import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;

class ServerInfoTest {
    @Test
    void shouldReadTheLabels() {
        assertEquals(Map.of("version", "0.1", "kernels", "a \"b\" \\ c", "threads", "2"), ServerInfo.parse("""
                # TYPE tidestream_server_info gauge
                tidestream_server_info{kernels="a \\"b\\" \\\\ c",threads="2",version="0.1"} 1.0
                tidestream_weights_version 1.0
                """).facts());
        assertEquals(Map.of(), ServerInfo.parse("<html>").facts());
    }
}
