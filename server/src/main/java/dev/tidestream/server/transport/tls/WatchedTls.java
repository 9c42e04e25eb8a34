package dev.tidestream.server.transport.tls;

import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import javax.net.ssl.TrustManagerFactory;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.DelegatingSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.vertx.core.net.JdkSSLEngineOptions;
import io.vertx.core.spi.tls.SslContextFactory;

/**
 * TLS by the JDK, which says when a handshake begins and when it has come to its end. Vert.x tells of a connection after its handshake
 * only, so whoever counts those that are under way has to be told by TLS itself.
 */
public final class WatchedTls extends JdkSSLEngineOptions {
    private final Consumer<Channel> begun;
    private final Consumer<Channel> ended;

    /**
     * Of a server.
     *
     * @param begun called once for each connection, on its event loop
     * @param ended called once for each of these, likewise, whether the handshake was done, has failed, or the connection was closed
     */
    public WatchedTls(Consumer<Channel> begun, Consumer<Channel> ended) {
        this.begun = begun;
        this.ended = ended;
    }

    @Override
    public JdkSSLEngineOptions copy() {
        return new WatchedTls(begun, ended);
    }

    @Override
    public SslContextFactory sslContextFactory() {
        return new Factory(super.sslContextFactory());
    }

    /** Makes what the JDK's makes, watched. */
    private final class Factory implements SslContextFactory {
        private final SslContextFactory jdk;

        Factory(SslContextFactory jdk) {
            this.jdk = jdk;
        }

        @Override
        public SslContextFactory useAlpn(boolean useAlpn) {
            jdk.useAlpn(useAlpn);
            return this;
        }

        @Override
        public SslContextFactory clientAuth(ClientAuth clientAuth) {
            jdk.clientAuth(clientAuth);
            return this;
        }

        @Override
        public SslContextFactory forClient(boolean forClient) {
            jdk.forClient(forClient);
            return this;
        }

        @Override
        public SslContextFactory keyMananagerFactory(KeyManagerFactory keys) {
            jdk.keyMananagerFactory(keys);
            return this;
        }

        @Override
        public SslContextFactory trustManagerFactory(TrustManagerFactory trusted) {
            jdk.trustManagerFactory(trusted);
            return this;
        }

        @Override
        public SslContextFactory enabledCipherSuites(Set<String> suites) {
            jdk.enabledCipherSuites(suites);
            return this;
        }

        @Override
        public SslContextFactory applicationProtocols(List<String> protocols) {
            jdk.applicationProtocols(protocols);
            return this;
        }

        @Override
        public SslContextFactory serverName(String name) {
            jdk.serverName(name);
            return this;
        }

        @Override
        public SslContext create() throws SSLException {
            return new Watched(jdk.create());
        }
    }

    private final class Watched extends DelegatingSslContext {
        Watched(SslContext jdk) {
            super(jdk);
        }

        @Override
        protected void initEngine(SSLEngine engine) {}

        @Override
        protected SslHandler newHandler(ByteBufAllocator buffers, boolean startTls, Executor tasks) {
            return new Handler(newEngine(buffers), startTls, tasks);
        }

        @Override
        protected SslHandler newHandler(ByteBufAllocator buffers, String peer, int port, boolean startTls, Executor tasks) {
            return new Handler(newEngine(buffers, peer, port), startTls, tasks);
        }
    }

    private final class Handler extends SslHandler {
        Handler(SSLEngine engine, boolean startTls, Executor tasks) {
            super(engine, startTls, tasks);
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // itself
        public void handlerAdded(ChannelHandlerContext context) throws Exception {
            super.handlerAdded(context);
            begun.accept(context.channel());
            handshakeFuture().addListener(done -> ended.accept(context.channel()));
        }
    }
}
