'use strict';

// element makes a DOM node; text never becomes markup.
function element(tag, props, ...children) {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

// prose splits `code` out of a description.
function prose(text) {
  return (text || '').trim().split(/\n\s*\n/).map((paragraph) =>
    element('p', {}, ...paragraph.split('`').map((part, i) => (i % 2 ? element('code', {}, part) : part))));
}

const pretty = (value) => element('pre', {}, JSON.stringify(value, null, 2));

// resolve follows one $ref within the document.
function resolve(spec, node) {
  if (!node || !node.$ref) return node;
  return node.$ref.slice(2).split('/').reduce((at, key) => at[key], spec);
}

// typeOf describes a schema in one line, with a link to a named one.
function typeOf(schema) {
  if (!schema) return 'anything';
  if (schema.$ref) {
    const name = schema.$ref.split('/').pop();
    return element('a', { href: '#schema-' + name }, name);
  }
  if (schema.type === 'array') return element('span', {}, 'array of ', typeOf(schema.items));
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.additionalProperties) return element('span', {}, 'map of ', typeOf(schema.additionalProperties));
  return schema.type + (schema.format ? ` (${schema.format})` : '');
}

function table(heads, rows) {
  return element('div', { className: 'scroll' }, element('table', {},
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, ...rows.map((cells) => element('tr', {}, ...cells.map((cell) => element('td', {}, ...[cell].flat())))))));
}

function named(name, required) {
  return element('span', {}, element('code', {}, name), required ? element('span', { className: 'required' }, ' required') : '');
}

function examplesOf(spec, content) {
  return Object.values((content && content.examples) || {}).map((example) => resolve(spec, example).value);
}

// exampleOf gives the first example of a parameter.
function exampleOf(parameter) {
  if (parameter.example !== undefined) return parameter.example;
  const examples = Object.values(parameter.examples || {});
  return examples.length ? examples[0].value : '';
}

function contentOf(spec, holder) {
  return Object.entries(holder.content || {}).flatMap(([mediaType, content]) => [
    element('p', {}, element('code', {}, mediaType), ': ', typeOf(content.schema)),
    ...examplesOf(spec, content).map(pretty),
  ]);
}

function responsesOf(spec, responses) {
  return Object.entries(responses).sort(([a], [b]) => a.localeCompare(b)).map(([status, ref]) => {
    const response = resolve(spec, ref);
    return element('details', {},
      element('summary', {}, element('code', {}, status), ' ', response.description.trim()),
      ...contentOf(spec, response));
  });
}

// send performs the request and shows the answer.
async function send(path, parameters, fields, output) {
  const query = new URLSearchParams();
  let target = path;
  for (const parameter of parameters) {
    const value = fields[parameter.name].value;
    if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value !== '') query.set(parameter.name, value);
  }
  if (query.size) target += '?' + query;
  output.replaceChildren(element('p', {}, 'Asking ', element('code', {}, target), ' …'));
  try {
    const answer = await fetch(target);
    const text = await answer.text();
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
    output.replaceChildren(
      element('p', {}, element('code', {}, 'GET ' + target)),
      element('p', { className: answer.ok ? 'status' : 'status failed' }, `${answer.status} ${answer.statusText}`),
      element('pre', {}, shown));
  } catch (error) {
    output.replaceChildren(element('p', { className: 'status failed' }, 'The server did not answer: ' + error.message));
  }
}

// tryIt is a form for a GET.
function tryIt(path, parameters) {
  const fields = {};
  const output = element('div', {});
  output.setAttribute('role', 'status');
  const inputs = parameters.map((parameter) => {
    const field = element('input', { name: parameter.name, required: Boolean(parameter.required), autocomplete: 'off' });
    if (parameter.required) field.value = exampleOf(parameter);
    else field.placeholder = 'for instance ' + exampleOf(parameter);
    fields[parameter.name] = field;
    return element('label', {}, named(parameter.name, parameter.required), field);
  });
  const form = element('form', {}, ...inputs, element('button', { type: 'submit' }, 'Send'), output);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(path, parameters, fields, output);
  });
  return form;
}

function operationOf(spec, path, method, operation) {
  const parameters = (operation.parameters || []).map((parameter) => resolve(spec, parameter));
  return element('details', { id: operation.operationId },
    element('summary', {},
      element('span', { className: 'method ' + method }, method.toUpperCase()), element('code', {}, path), ' ',
      element('span', { className: 'summary' }, operation.summary || '')),
    ...prose(operation.description),
    ...(parameters.length ? [element('h3', {}, 'Parameters'), table(['Name', 'In', 'Type', 'Description'],
      parameters.map((p) => [named(p.name, p.required), p.in, typeOf(p.schema), prose(p.description)]))] : []),
    ...(operation.requestBody ? [element('h3', {}, 'Body'), ...contentOf(spec, operation.requestBody)] : []),
    element('h3', {}, 'Answers'), ...responsesOf(spec, operation.responses),
    ...(method === 'get' ? [element('h3', {}, 'Try it'), tryIt(path, parameters)] : []));
}

function schemaOf(name, schema) {
  const required = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([property, type]) =>
    [named(property, required.has(property)), typeOf(type), prose(type.description)]);
  return element('details', { id: 'schema-' + name }, element('summary', {}, element('code', {}, name)),
    ...prose(schema.description),
    ...(rows.length ? [table(['Name', 'Type', 'Description'], rows)] : [element('p', {}, typeOf(schema))]));
}

function show(spec) {
  document.getElementById('title').textContent = `${spec.info.title} ${spec.info.version}`;
  document.getElementById('description').replaceWith(...prose(spec.info.description));
  const sections = (spec.tags || []).map((tag) => {
    const operations = Object.entries(spec.paths).flatMap(([path, item]) => Object.entries(item)
      .filter(([, operation]) => (operation.tags || []).includes(tag.name))
      .map(([method, operation]) => operationOf(spec, path, method, operation)));
    return element('section', {}, element('h2', {}, tag.name), ...prose(tag.description), ...operations);
  });
  document.getElementById('operations').replaceChildren(...sections);
  document.getElementById('schemas').replaceChildren(element('h2', {}, 'Schemas'),
    ...Object.entries(spec.components.schemas).map(([name, schema]) => schemaOf(name, schema)));
  openTarget();
}

// openTarget unfolds what the address points to.
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}

window.addEventListener('hashchange', openTarget);
fetch('/api/openapi.json')
  .then((answer) => { if (!answer.ok) throw new Error(`status ${answer.status}`); return answer.json(); })
  .then(show)
  .catch((error) => {
    document.getElementById('operations').replaceChildren(
      element('p', { className: 'failed' }, 'The document cannot be loaded: ' + error.message));
  });
