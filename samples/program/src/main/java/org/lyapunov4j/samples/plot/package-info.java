// SPDX-License-Identifier: Apache-2.0
/** How the pictures of this program look. */
package org.lyapunov4j.samples.plot;
