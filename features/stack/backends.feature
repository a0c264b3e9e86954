@chat @destructive
Feature: A backend dies and comes back
  The server behind one of the models ends as in a crash. The router says so to those who ask for that model, serves the
  others, and serves all again once the server is back. Nothing is restarted but what died.

  Scenario: While a backend is down the router says so under each of its names, <delivery>
    Given replies are <delivery>
    And the time limit is 30s
    When I kill the service "backend"
    And I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    And the response is not a stream
    And the error has a message
    And the error has the OpenAI form
    Given the model "gpt-4o"
    When I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    And the error has a message

  Scenario: While a backend is down the other model answers, <delivery>
    Given replies are <delivery>
    When I kill the service "backend"
    Given the model "smollm2-q4"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    Given the model "gpt-4o-mini"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    When I check the health
    Then the status is 200

  Scenario: A backend that is back answers through the router again
    When I kill the service "backend"
    And I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    When I start the service "backend" again
    And I note what the services have done
    And I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    And the service "backend" did the work
    And the service "second" did nothing

  Scenario: Both backends die, and come back one after the other
    When I kill the service "backend"
    And I kill the service "second"
    And I ask "What is the capital of Germany?"
    Then the status is one of 500, 502, 503, 504
    When I start the service "second" again
    Given the model "smollm2-q4"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    When I start the service "backend" again
    Given the model "smollm2"
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"

  @stream
  Scenario: A backend dies in the middle of a stream, and the client is told
    Given at most 1500 tokens
    And the parameter "ignore_eos" is true
    And the time limit is 20s
    When I ask "Write a story about a fox." and kill the service "backend" after 5 events
    Then the stream ends whole or with an error

  Scenario: While a backend is down, eight clients of the other model are served at once
    Given the model "smollm2-q4"
    And at most 16 tokens
    When I kill the service "backend"
    And I ask at once:
      | ask                              | capital   |
      | What is the capital of Germany?  | Berlin    |
      | What is the capital of Japan?    | Tokyo     |
      | What is the capital of Russia?   | Moscow    |
      | What is the capital of China?    | Beijing   |
      | What is the capital of Egypt?    | Cairo     |
      | What is the capital of Greece?   | Athens    |
      | What is the capital of Norway?   | Oslo      |
      | What is the capital of Poland?   | Warsaw    |
    Then each reply mentions its "capital"
    And not all replies are the same
