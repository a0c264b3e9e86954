@chat @serial
Feature: Many clients of the router at once
  Each client gets its own answer, whole, from the model that it asked, however many wait beside it.

  Scenario: Eight clients at once get eight answers, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    When I note what the services have done
    And I ask at once:
      | ask                             | capital |
      | What is the capital of Germany? | Berlin  |
      | What is the capital of Japan?   | Tokyo   |
      | What is the capital of Russia?  | Moscow  |
      | What is the capital of China?   | Beijing |
      | What is the capital of Egypt?   | Cairo   |
      | What is the capital of Greece?  | Athens  |
      | What is the capital of Cuba?    | Havana  |
      | What is the capital of Norway?  | Oslo    |
    Then each reply mentions its "capital"
    And not all replies are the same
    And the service "backend" did the work
    And the service "second" did nothing

  Scenario: Eight clients of two models, by four names, get eight answers, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    When I ask at once:
      | ask                             | capital | model       |
      | What is the capital of Germany? | Berlin  | smollm2     |
      | What is the capital of Japan?   | Tokyo   | smollm2-q4  |
      | What is the capital of Russia?  | Moscow  | gpt-4o      |
      | What is the capital of China?   | Beijing | gpt-4o-mini |
      | What is the capital of Egypt?   | Cairo   | smollm2     |
      | What is the capital of Greece?  | Athens  | smollm2-q4  |
      | What is the capital of Cuba?    | Havana  | gpt-4o      |
      | What is the capital of Norway?  | Oslo    | gpt-4o-mini |
    Then each reply mentions its "capital"
    And not all replies are the same

  Scenario: Thirty-two clients at once get thirty-two answers, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    When I note what the services have done
    And I ask at once:
      | ask                                 | capital     |
      | What is the capital of Germany?     | Berlin      |
      | What is the capital of Japan?       | Tokyo       |
      | What is the capital of Russia?      | Moscow      |
      | What is the capital of China?       | Beijing     |
      | What is the capital of Egypt?       | Cairo       |
      | What is the capital of Greece?      | Athens      |
      | What is the capital of Cuba?        | Havana      |
      | What is the capital of Norway?      | Oslo        |
      | What is the capital of Poland?      | Warsaw      |
      | What is the capital of Austria?     | Vienna      |
      | What is the capital of Hungary?     | Budapest    |
      | What is the capital of Ireland?     | Dublin      |
      | What is the capital of Sweden?      | Stockholm   |
      | What is the capital of Iran?        | Tehran      |
      | What is the capital of Iraq?        | Baghdad     |
      | What is the capital of India?       | New Delhi   |
      | What is the capital of Thailand?    | Bangkok     |
      | What is the capital of Indonesia?   | Jakarta     |
      | What is the capital of Canada?      | Ottawa      |
      | What is the capital of Peru?        | Lima        |
      | What is the capital of Chile?       | Santiago    |
      | What is the capital of Kenya?       | Nairobi     |
      | What is the capital of Ethiopia?    | Addis Ababa |
      | What is the capital of Nigeria?     | Abuja       |
      | What is the capital of Romania?     | Bucharest   |
      | What is the capital of Bulgaria?    | Sofia       |
      | What is the capital of Croatia?     | Zagreb      |
      | What is the capital of Australia?   | Canberra    |
      | What is the capital of England?     | London      |
      | What is the capital of Afghanistan? | Kabul       |
      | What is the capital of Syria?       | Damascus    |
      | What is the capital of Ghana?       | Accra       |
    Then each reply mentions its "capital"
    And not all replies are the same
    And the service "backend" did the work
    And the service "second" did nothing

  Scenario: Thirty-two clients of two models get thirty-two answers, <delivery>
    Given replies are <delivery>
    And at most 16 tokens
    When I ask at once:
      | ask                                 | capital     | model      |
      | What is the capital of Germany?     | Berlin      | smollm2    |
      | What is the capital of Japan?       | Tokyo       | smollm2-q4 |
      | What is the capital of Russia?      | Moscow      | smollm2    |
      | What is the capital of China?       | Beijing     | smollm2-q4 |
      | What is the capital of Egypt?       | Cairo       | smollm2    |
      | What is the capital of Greece?      | Athens      | smollm2-q4 |
      | What is the capital of Cuba?        | Havana      | smollm2    |
      | What is the capital of Norway?      | Oslo        | smollm2-q4 |
      | What is the capital of Poland?      | Warsaw      | smollm2    |
      | What is the capital of Austria?     | Vienna      | smollm2-q4 |
      | What is the capital of Hungary?     | Budapest    | smollm2    |
      | What is the capital of Ireland?     | Dublin      | smollm2-q4 |
      | What is the capital of Sweden?      | Stockholm   | smollm2    |
      | What is the capital of Iran?        | Tehran      | smollm2-q4 |
      | What is the capital of Iraq?        | Baghdad     | smollm2    |
      | What is the capital of India?       | New Delhi   | smollm2-q4 |
      | What is the capital of Thailand?    | Bangkok     | smollm2    |
      | What is the capital of Indonesia?   | Jakarta     | smollm2-q4 |
      | What is the capital of Canada?      | Ottawa      | smollm2    |
      | What is the capital of Peru?        | Lima        | smollm2-q4 |
      | What is the capital of Chile?       | Santiago    | smollm2    |
      | What is the capital of Kenya?       | Nairobi     | smollm2-q4 |
      | What is the capital of Ethiopia?    | Addis Ababa | smollm2    |
      | What is the capital of Nigeria?     | Abuja       | smollm2-q4 |
      | What is the capital of Romania?     | Bucharest   | smollm2    |
      | What is the capital of Bulgaria?    | Sofia       | smollm2-q4 |
      | What is the capital of Croatia?     | Zagreb      | smollm2    |
      | What is the capital of Australia?   | Canberra    | smollm2-q4 |
      | What is the capital of England?     | London      | smollm2    |
      | What is the capital of Afghanistan? | Kabul       | smollm2-q4 |
      | What is the capital of Syria?       | Damascus    | smollm2    |
      | What is the capital of Ghana?       | Accra       | smollm2-q4 |
    Then each reply mentions its "capital"
    And not all replies are the same

  Scenario: After thirty-two clients the router is as before
    Given at most 4 tokens
    When I ask at once:
      | ask                                 | capital     | model      |
      | What is the capital of Germany?     | Berlin      | smollm2    |
      | What is the capital of Japan?       | Tokyo       | smollm2-q4 |
      | What is the capital of Russia?      | Moscow      | smollm2    |
      | What is the capital of China?       | Beijing     | smollm2-q4 |
      | What is the capital of Egypt?       | Cairo       | smollm2    |
      | What is the capital of Greece?      | Athens      | smollm2-q4 |
      | What is the capital of Cuba?        | Havana      | smollm2    |
      | What is the capital of Norway?      | Oslo        | smollm2-q4 |
      | What is the capital of Poland?      | Warsaw      | smollm2    |
      | What is the capital of Austria?     | Vienna      | smollm2-q4 |
      | What is the capital of Hungary?     | Budapest    | smollm2    |
      | What is the capital of Ireland?     | Dublin      | smollm2-q4 |
      | What is the capital of Sweden?      | Stockholm   | smollm2    |
      | What is the capital of Iran?        | Tehran      | smollm2-q4 |
      | What is the capital of Iraq?        | Baghdad     | smollm2    |
      | What is the capital of India?       | New Delhi   | smollm2-q4 |
      | What is the capital of Thailand?    | Bangkok     | smollm2    |
      | What is the capital of Indonesia?   | Jakarta     | smollm2-q4 |
      | What is the capital of Canada?      | Ottawa      | smollm2    |
      | What is the capital of Peru?        | Lima        | smollm2-q4 |
      | What is the capital of Chile?       | Santiago    | smollm2    |
      | What is the capital of Kenya?       | Nairobi     | smollm2-q4 |
      | What is the capital of Ethiopia?    | Addis Ababa | smollm2    |
      | What is the capital of Nigeria?     | Abuja       | smollm2-q4 |
      | What is the capital of Romania?     | Bucharest   | smollm2    |
      | What is the capital of Bulgaria?    | Sofia       | smollm2-q4 |
      | What is the capital of Croatia?     | Zagreb      | smollm2    |
      | What is the capital of Australia?   | Canberra    | smollm2-q4 |
      | What is the capital of England?     | London      | smollm2    |
      | What is the capital of Afghanistan? | Kabul       | smollm2-q4 |
      | What is the capital of Syria?       | Damascus    | smollm2    |
      | What is the capital of Ghana?       | Accra       | smollm2-q4 |
    Then not all replies are the same
    And the service "backend" is idle within 5s
    And the service "second" is idle within 5s
    Given at most 16 tokens
    When I ask "What is the capital of Germany?"
    Then the reply mentions "Berlin"
    And the server is still up
