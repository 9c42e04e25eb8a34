package dev.tidestream.server.transport.http;

import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HostPolicyTest {
    private static List<String> list(@Nullable String commas) {
        return commas == null ? List.of() : Arrays.asList(commas.split(" "));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        // bound | allowed | host | ours
        "127.0.0.1 | | localhost | true",
        "127.0.0.1 | | LocalHost. | true",
        "127.0.0.1 | | app.localhost | true",
        "127.0.0.1 | | 127.0.0.1 | true",
        "127.0.0.1 | | 127.1.2.3 | true",
        "127.0.0.1 | | [::1] | true",
        "127.0.0.1 | | [0:0:0:0:0:0:0:1] | true",
        "::1 | | localhost | true",
        "localhost | | 127.0.0.1 | true",
        "127.0.0.1 | | 10.0.0.1 | false",
        "127.0.0.1 | | evil.example | false",
        "127.0.0.1 | | localhost.evil.example | false",
        "127.0.0.1 | | notlocalhost | false",
        "127.0.0.1 | | 127.0.0.1.evil.example | false",
        "127.0.0.1 | | 2130706433 | false",
        "0.0.0.0 | | 10.0.0.1 | true",
        "0.0.0.0 | | [fe80::1] | true",
        "0.0.0.0 | | localhost | true",
        "0.0.0.0 | | evil.example | false",
        ":: | | [2001:db8::1] | true",
        "10.0.0.1 | | 192.168.0.1 | true",
        "api.example | | api.example | true",
        "api.example | | other.example | false",
        "0.0.0.0 | chat.example api.example | API.example | true",
        "0.0.0.0 | chat.example | sub.chat.example | false",
        "127.0.0.1 | 10.0.0.1 | 10.0.0.1 | true",
        "127.0.0.1 | [2001:db8:0::1] | [2001:DB8::1] | true",
        "127.0.0.1 | * | evil.example | true",
    })
    void shouldKnowItsNames(String bound, @Nullable String allowed, String host, boolean ours) {
        assertEquals(ours, new HostPolicy(bound, list(allowed), List.of()).isOurs(host));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        // allowed | origin | host | whether it may
        "| http://localhost:8080 | localhost | true",
        "| http://localhost:3000 | localhost | true",
        "| https://localhost | localhost | true",
        "| http://127.0.0.1:3000 | localhost | true",
        "| http://[::1]:3000 | 127.0.0.1 | true",
        "| http://evil.example | localhost | false",
        "| http://localhost.evil.example | localhost | false",
        "| http://evil.example#localhost | localhost | false",
        "| http://evil.example/?http://localhost | localhost | false",
        "| http://10.0.0.1:9000 | 10.0.0.1 | true",
        "| http://10.0.0.2 | 10.0.0.1 | false",
        "| http://chat.example | Chat.example | true",
        "| http://localhost | chat.example | false",
        "| null | localhost | false",
        "| file:// | localhost | false",
        "| chrome-extension://localhost | localhost | false",
        "| http:// | localhost | false",
        "| http://a b | localhost | false",
        "https://page.example | https://page.example | localhost | true",
        "https://page.example | https://page.example:444 | localhost | false",
        "https://page.example | http://page.example | localhost | false",
        "https://page.example | https://sub.page.example | localhost | false",
        "a null | null | localhost | true",
        "* | http://evil.example | localhost | true",
        "* | null | localhost | true",
    })
    void shouldKnowWhichPagesMay(@Nullable String allowed, String origin, String host, boolean may) {
        assertEquals(may, new HostPolicy("127.0.0.1", List.of(), list(allowed)).isAllowed(origin, host));
    }

    @Test
    void shouldNotAllowPagesWithoutAHost() {
        HostPolicy policy = new HostPolicy("127.0.0.1", List.of(), List.of("http://a"));
        assertTrue(policy.isAllowed("http://a", null));
        assertFalse(policy.isAllowed("http://localhost", null));
    }

    @Test
    void shouldReadAuthorities() {
        assertEquals("a.b", HostPolicy.host("a.b:8080"));
        assertEquals("[::1]", HostPolicy.host("[::1]:1"));
        for (String none : List.of("", ":80", "a b", "a:b", "a@b", "a/b", "a:99999", "é")) {
            assertNull(HostPolicy.host(none), none);
        }
    }
}
