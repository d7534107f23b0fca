// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.docs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Java code in the documentation is a region of a compiled test: from {@code // snippet: NAME} to
 * {@code // end}.
 */
class SnippetsTest {
  private static final Pattern REGION =
      Pattern.compile("(?s)\\n *// snippet: (\\S+)\\n(.*?)\\n *// end\\n");
  private static final Pattern SHOWN =
      Pattern.compile("(?s)(?:<!-- snippet: (\\S+) -->\\n)?```java\\n(.*?)\\n```\\n");
  private static final Path ROOT = Path.of("").toAbsolutePath().getParent();

  @Test
  void whatIsShownIsWhatIsCompiled() throws IOException {
    Map<String, String> compiled = compiled();
    int shown = 0;
    for (Path page : pages()) {
      Matcher matcher = SHOWN.matcher(Files.readString(page));
      while (matcher.find()) {
        assertThat(matcher.group(1)).as("name of a snippet in %s", page).isNotNull();
        assertThat(matcher.group(2))
            .as("%s in %s", matcher.group(1), page)
            .isEqualTo(compiled.get(matcher.group(1)));
        shown++;
      }
    }
    assertThat(shown).isPositive();
  }

  private static Map<String, String> compiled() throws IOException {
    Map<String, String> regions = new HashMap<>();
    for (String folder :
        List.of(
            "docs/src/test/java",
            "dl4j-listener/ui/src/test/java",
            "dl4j-listener/spark/src/test/java")) {
      try (Stream<Path> sources = Files.walk(ROOT.resolve(folder))) {
        for (Path source : sources.filter(Files::isRegularFile).toList()) {
          Matcher matcher = REGION.matcher(Files.readString(source));
          while (matcher.find()) {
            regions.put(matcher.group(1), matcher.group(2).stripIndent());
          }
        }
      }
    }
    return regions;
  }

  private static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>(List.of(ROOT.resolve("README.md")));
    try (Stream<Path> files = Files.list(ROOT.resolve("docs"))) {
      files.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
    }
    return pages;
  }
}
