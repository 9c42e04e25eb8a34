@NullMarked
package dev.tidestream.server.admin.service;

import org.jspecify.annotations.NullMarked;
