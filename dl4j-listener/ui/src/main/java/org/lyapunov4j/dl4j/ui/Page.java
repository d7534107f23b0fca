// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/**
 * The page: one HTML file, and the policy by which browsers run its own script and style and load
 * nothing from elsewhere.
 *
 * @param html the file
 * @param policy the value of {@code Content-Security-Policy}
 */
record Page(String html, String policy) {
  static Page load() {
    try (InputStream file = Page.class.getResourceAsStream("stability.html")) {
      String html = new String(file.readAllBytes(), StandardCharsets.UTF_8);
      return new Page(html, policy(html));
    } catch (IOException e) {
      throw new UncheckedIOException("the page must be readable", e);
    }
  }

  private static String policy(String html) {
    return "default-src 'none'; connect-src 'self'; img-src data:; script-src "
        + hash(between(html, "<script>", "</script>"))
        + "; style-src "
        + hash(between(html, "<style>", "</style>"))
        + "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  }

  private static String between(String html, String begin, String end) {
    int from = html.indexOf(begin) + begin.length();
    return html.substring(from, html.indexOf(end, from));
  }

  private static String hash(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return "'sha256-" + Base64.getEncoder().encodeToString(digest) + "'";
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
