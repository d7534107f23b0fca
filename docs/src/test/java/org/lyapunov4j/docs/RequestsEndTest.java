// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** An answer that got lost must fail a test, not hang the build. */
class RequestsEndTest {
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
  private static final Pattern REQUEST =
      Pattern.compile("(?s)HttpRequest\\.newBuilder\\(.*?\\.build\\(\\)");
  private static final Pattern CLIENT =
      Pattern.compile(
          "(?s)HttpClient\\.newHttpClient|HttpClient\\.newBuilder\\(\\).*?\\.build\\(\\)");

  @Test
  void everyRequestHasATimeLimitAndAsksForNoUpgrade() throws IOException {
    List<String> endless = new ArrayList<>();
    int requests = 0;
    for (Path source : tests()) {
      String code = Files.readString(source);
      for (MatchResult request : REQUEST.matcher(code).results().toList()) {
        requests++;
        if (!request.group().contains(".timeout(")) {
          endless.add(source + ": " + request.group());
        }
      }
      for (MatchResult client : CLIENT.matcher(code).results().toList()) {
        if (!client.group().contains("HTTP_1_1")) {
          endless.add(source + ": " + client.group());
        }
      }
    }
    assertThat(endless).isEmpty();
    assertThat(requests).isGreaterThan(5);
  }

  private static List<Path> tests() throws IOException {
    List<Path> found = new ArrayList<>();
    for (String module :
        List.of(
            "core",
            "dl4j-listener",
            "dl4j-listener/ui",
            "samples/first-steps",
            "samples/program",
            "samples/experiments",
            "docs")) {
      try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/test/java"))) {
        files
            .filter(
                file -> file.toString().endsWith(".java") && !file.endsWith("RequestsEndTest.java"))
            .forEach(found::add);
      }
    }
    return found;
  }
}
