import type Big from 'big.js';

/** The formats of the table and the page. */
export const format = {
  /** `39.80`, `1,234.567`: two decimals, or as many as there are. */
  price(price: Big): string {
    const [whole = '', decimals = ''] = price.toFixed().split('.');
    return `${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${decimals.padEnd(2, '0')}`;
  },

  /** `+12.3 %` with a sign, `12.3 %` without; a dash for null. */
  percent(share: number | null, { sign = false }: { sign?: boolean } = {}): string {
    if (share === null) return '–';
    const digits = Math.abs(share * 100).toFixed(1);
    if (Number(digits) === 0 || !(sign || share < 0)) return `${digits} %`;
    return `${share < 0 ? '−' : '+'}${digits} %`;
  },

  /** `2000-01-31` */
  day(date: Date): string {
    return date.toISOString().slice(0, 10);
  },

  /** `1 task`, `12,345 tasks` */
  count(number: number, noun: string, nouns: string = `${noun}s`): string {
    return `${number.toLocaleString('en-US')} ${number === 1 ? noun : nouns}`;
  },

  /** `999 bytes`, `12.3 kB`, `4.0 MB` */
  bytes(bytes: number): string {
    if (bytes < 1000) return format.count(bytes, 'byte');
    return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
  },
};
