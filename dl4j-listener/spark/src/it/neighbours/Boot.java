// SPDX-License-Identifier: Apache-2.0
import java.nio.file.Path;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;

/** A context of Spring Boot's beside training with the listener. */
@EnableAutoConfiguration
public class Boot {
  public static void main(String[] args) throws Exception {
    try (var context = SpringApplication.run(Boot.class)) {
      System.out.println("SUM " + (context.isActive() ? 12 : 0));
      Train.run(Path.of(args[0]));
    }
  }
}
