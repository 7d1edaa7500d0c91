/** What this browser remembers: theme and whether single keys act. */

export type Theme = 'system' | 'light' | 'dark';
const THEMES: readonly Theme[] = ['system', 'light', 'dark'];

function read(name: string): string | null {
  try {
    return localStorage.getItem(`tidegate.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`tidegate.${name}`, value);
  } catch {
    // A browser that keeps nothing: the wish holds until the page is closed.
  }
}

class Preferences {
  #theme = $state<Theme>(THEMES.find((theme) => theme === read('theme')) ?? 'system');
  #keys = $state(read('keys') !== 'off');

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    write('theme', theme);
    this.apply();
  }

  get keys(): boolean {
    return this.#keys;
  }

  set keys(on: boolean) {
    this.#keys = on;
    write('keys', on ? 'on' : 'off');
  }

  /** Shows the theme; the colours are in the style sheet. */
  apply(): void {
    const { dataset } = document.documentElement;
    if (this.#theme === 'system') delete dataset.theme;
    else dataset.theme = this.#theme;
  }
}

export const preferences = new Preferences();
