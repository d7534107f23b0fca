// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.metrics;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The head of an HTTP request; a body is not read.
 *
 * @param method such as GET
 * @param path without a query
 * @param headers by lower-case name; values of one name are joined
 * @param error the status to answer with instead, or null
 */
record HttpRequest(String method, String path, Map<String, String> headers, String error) {
  /** Bytes of a head. */
  static final int LONGEST = 1 << 13;

  private static final String END = "\r\n\r\n";

  static HttpRequest read(InputStream stream) throws IOException {
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    for (int matched = 0; matched < END.length(); ) {
      int next = stream.read();
      if (next < 0) {
        throw new IOException("the client is gone");
      }
      if (head.size() == LONGEST) {
        return refused("431 Request Header Fields Too Large");
      }
      head.write(next);
      matched = next == END.charAt(matched) ? matched + 1 : next == '\r' ? 1 : 0;
    }
    return parse(head.toString(StandardCharsets.ISO_8859_1).split("\r\n"));
  }

  private static HttpRequest parse(String[] lines) {
    String[] first = lines.length == 0 ? new String[0] : lines[0].split(" ");
    if (first.length != 3 || !first[2].startsWith("HTTP/1.")) {
      return refused("400 Bad Request");
    }
    Map<String, String> headers = new HashMap<>();
    for (int i = 1; i < lines.length; i++) {
      int colon = lines[i].indexOf(':');
      if (colon < 1) {
        return refused("400 Bad Request");
      }
      String name = lines[i].substring(0, colon).toLowerCase(Locale.ROOT);
      headers.merge(name, lines[i].substring(colon + 1).strip(), (a, b) -> a + ", " + b);
    }
    return new HttpRequest(first[0], first[1].replaceFirst("\\?.*", ""), headers, null);
  }

  private static HttpRequest refused(String status) {
    return new HttpRequest("", "", Map.of(), status);
  }

  String header(String name) {
    return headers.getOrDefault(name, "");
  }

  boolean acceptsGzip() {
    for (String coding : header("accept-encoding").toLowerCase(Locale.ROOT).split(",", -1)) {
      String[] parts = coding.split(";", -1);
      if (parts[0].strip().equals("gzip")) {
        return parts.length == 1 || !parts[1].strip().matches("q=0(\\.0*)?");
      }
    }
    return false;
  }
}
