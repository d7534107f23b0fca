// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.ui;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.deeplearning4j.ui.i18n.I18NResource;
import org.nd4j.common.io.ClassPathResource;

/**
 * The entry of the page in the training UI's menu. The menu is fixed but for its words, so the
 * entry is appended to the word of the last page, in each language that the UI has.
 */
final class MenuEntry extends I18NResource {
  private static final String KEY = "train.nav.system=";
  private static final String ENTRY =
      "</a></li><li class=\"nav-item\"><a class=\"nav-link\" href=\""
          + StabilityModule.PATH
          + "\"><i class=\"nav-icon cui-shield\"></i>Stability";

  private MenuEntry(String language) {
    super("dl4j_i18n/train." + language);
  }

  static List<I18NResource> inAllLanguages() {
    return List.of(
        new MenuEntry("en"),
        new MenuEntry("de"),
        new MenuEntry("ja"),
        new MenuEntry("ko"),
        new MenuEntry("ru"),
        new MenuEntry("zh"));
  }

  @Override
  public InputStream getInputStream() throws IOException {
    try (InputStream words = new ClassPathResource(getResource()).getInputStream()) {
      String appended =
          new String(words.readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> line.startsWith(KEY))
              .findFirst()
              .orElseThrow(() -> new IOException("no " + KEY + " in " + getResource()))
              .strip()
              .concat(ENTRY);
      return new ByteArrayInputStream(appended.getBytes(StandardCharsets.UTF_8));
    }
  }
}
