// The peer of outreach_send: nodemailer with its pool, used as its documentation says. Writes and sends mails from the
// same template to a sink. Prints one JSON line: messages taken, seconds on the wall, seconds of processor.
// node nodemailer_sends.mjs PORT CONNECTIONS USER PASSWORD < {"people": [...], "subject": ..., "text": ..., "html": ...}
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const { createTransport } = createRequire(process.cwd() + '/')('nodemailer');

const [port, connections, user, pass] = process.argv.slice(2);
const { people, subject, text, html } = JSON.parse(readFileSync(0, 'utf8'));
const transport = createTransport({
    pool: true, maxConnections: Number(connections), maxMessages: Infinity,
    host: '127.0.0.1', port: Number(port), secure: false, ignoreTLS: true, auth: { user, pass },
});
const escaped = (value) => value.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const filled = (template, person, safe) =>
    template.replace(/\{\{(\w+)\}\}/g, (_, name) => (safe ? escaped(person[name]) : person[name]));

const began = performance.now();
let taken = 0;
await Promise.all(people.map(async (person) => {
    await transport.sendMail({
        from: { name: 'Rita Recruiter', address: 'rita@agency.test' },
        to: { name: person.name, address: person.email },
        subject: filled(subject, person, false),
        text: filled(text, person, false),
        html: filled(html, person, true),
        messageId: `<${person.id}@agency.test>`,
        headers: { 'X-Rethread-Delivery': person.id },
    });
    taken += 1;
}));
const wall = (performance.now() - began) / 1000;
transport.close();
const { user: inUser, system } = process.cpuUsage();
console.log(JSON.stringify({ messages: taken, wall, cpu: (inUser + system) / 1e6 }));
